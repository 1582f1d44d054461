import * as Duration from "effect/Duration"

/** How long a derived table is kept that nobody asks for. */
export const unusedFor = Duration.toMillis(Duration.minutes(5))

interface Derived {
  readonly value: unknown
  bytes: number
  lastReadAt: number
}

/**
 * What is computed from other tables when first asked for, within a budget of bytes. There are no timers in an isolate:
 * what nobody has asked for in five minutes is dropped by the next one who asks for anything, or by the cron. Without
 * room the one asked for least recently goes; what has no room even alone is answered, but not kept.
 */
export class DerivedTables {
  built = 0
  dropped = 0
  bytes = 0
  private readonly tables = new Map<string, Derived>()
  private sweptAt = Number.NEGATIVE_INFINITY

  constructor(private readonly capacityBytes: number) {}

  /** @param bytes what the table is charged for when it is made; {@link grow} charges what is added later */
  get<A>(name: string, now: number, build: () => A, bytes: (built: A) => number): A {
    if (now - this.sweptAt >= unusedFor) this.sweep(now)
    let table = this.tables.get(name)
    if (table === undefined) {
      const value = build()
      this.built += 1
      table = { value, bytes: 0, lastReadAt: now }
      this.tables.set(name, table)
      this.grow(name, bytes(value))
    }
    table.lastReadAt = now
    return table.value as A
  }

  /** Charges what a table has taken in. Without room for it the table itself goes, and begins anew when next asked for. */
  grow(name: string, bytes: number): void {
    const grown = this.tables.get(name)
    if (grown === undefined) return
    grown.bytes += bytes
    this.bytes += bytes
    while (this.bytes > this.capacityBytes) this.drop(this.leastRecent(name) ?? name)
  }

  sweep(now: number): number {
    const before = this.dropped
    this.sweptAt = now
    for (const [name, { lastReadAt }] of this.tables) if (now - lastReadAt >= unusedFor) this.drop(name)
    return this.dropped - before
  }

  list(): ReadonlyArray<{ readonly name: string; readonly bytes: number; readonly lastReadAt: number }> {
    return [...this.tables].map(([name, { bytes, lastReadAt }]) => ({ name, bytes, lastReadAt }))
  }

  private leastRecent(except: string): string | undefined {
    let found: string | undefined
    let least = Number.POSITIVE_INFINITY
    for (const [name, { lastReadAt }] of this.tables) {
      if (name !== except && lastReadAt < least) {
        found = name
        least = lastReadAt
      }
    }
    return found
  }

  private drop(name: string): void {
    this.bytes -= this.tables.get(name)!.bytes
    this.tables.delete(name)
    this.dropped += 1
  }
}
