import {
  type CapturedImage,
  type Shard,
  type ShardRow,
  type ShardWrite,
  type ShardWritten,
  stampsAhead,
  tombstoneMillis,
  versionFor
} from "../../../src/services/durable/Shard.ts"
import { compareUtf8 } from "../../../src/services/kv/model/KvPaging.ts"
import { collectionTag, compareStamps, type Stamp, zeroStamp } from "../../../src/services/store/model/Entry.ts"

type ShardService = Shard["Type"]

/** A shard as its promise reads, with no thought for cost. Only the mark of an invalidation is told, not chosen. */
export class ShardModel {
  readonly rows = new Map<string, ShardRow>()
  readonly marks = new Map<string, Stamp>()
  leases = new Map<string, { readonly lease: number; readonly until: number }>()
  granted = 0
  changes = 0
  cleanAt = 0
  lifeBegan = 0
  hits = 0
  reads = 0

  restart(): void {
    this.leases.clear()
    const clean = !this.dirty()
    this.changes += 1
    this.lifeBegan = this.changes
    if (clean) this.cleanAt = this.changes
  }

  living(id: string, now: number): ShardRow | undefined {
    const row = this.rows.get(id)
    if (row?.body === undefined || row.body.expiresAt <= now || this.isDead(row)) return undefined
    return row
  }

  isDead({ body, id, version }: ShardRow): boolean {
    const tags = body === undefined ? [] : [...body.tags, collectionTag(id)]
    return tags.some((tag) => compareStamps(version, this.marks.get(tag) ?? zeroStamp) < 0)
  }

  livingIds(prefix: string, now: number): ReadonlyArray<string> {
    return [...this.rows.keys()].filter((id) => id.startsWith(prefix) && this.living(id, now)).sort(compareUtf8)
  }

  getMany: ShardService["getMany"] = (ids, now) =>
    ids.map((id) => {
      this.reads += 1
      const row = this.living(id, now)
      if (row === undefined) return undefined
      this.hits += 1
      return { ...row.body!, stamp: row.version }
    })

  put(row: ShardRow): void {
    this.rows.set(row.id, row)
    this.leases.delete(row.id)
    this.changes += 1
  }

  apply: ShardService["apply"] = (writes, now) => writes.map((write) => this.applyOne(write, now))

  applyOne({ body, firstUntil, id, lease, stamp }: ShardWrite, now: number): ShardWritten {
    const row = this.rows.get(id)
    const replaced = this.living(id, now) !== undefined
    const before = { version: row?.version ?? zeroStamp, replaced }
    const held = this.leases.get(id)
    if (lease !== undefined && (held?.lease !== lease || held.until <= now)) return { ...before, outcome: "overtaken" }
    const first = lease !== undefined || (firstUntil !== undefined && now <= firstUntil)
    const floor = [...(body?.tags ?? []), collectionTag(id)]
      .map((tag) => this.marks.get(tag) ?? zeroStamp)
      .reduce((a, b) => (compareStamps(a, b) < 0 ? b : a), zeroStamp)
    const next = versionFor(first ? { stamp, firstUntil: now } : { stamp }, row, now, floor)
    const isSame =
      body === undefined
        ? row !== undefined && row.body === undefined
        : replaced && JSON.stringify(contentOf(body)) === JSON.stringify(contentOf(row!.body!))
    if (next === undefined) return { ...before, outcome: isSame ? "unchanged" : "overtaken" }
    if (first && body !== undefined && isSame) return { ...before, outcome: "unchanged" }
    this.put({ id, body, ...next, deletedAt: body === undefined ? now : 0 })
    return { outcome: this.isDead(this.rows.get(id)!) ? "ended" : "applied", version: next.version, replaced }
  }

  invalidateTags(tags: ReadonlyArray<string>, mark: Stamp): void {
    for (const tag of tags) this.marks.set(tag, mark)
    this.changes += tags.length
    this.leases.clear()
  }

  lease: ShardService["lease"] = (id, until, now) => {
    if (this.living(id, now) !== undefined) return undefined
    const held = this.leases.get(id)
    if (held !== undefined && now < held.until) return undefined
    this.granted += 1
    this.leases.set(id, { lease: this.granted, until })
    return this.granted
  }

  release: ShardService["release"] = (id, lease) => {
    if (this.leases.get(id)?.lease === lease) this.leases.delete(id)
  }

  list: ShardService["list"] = (prefix, after, limit, now) =>
    this.livingIds(prefix, now)
      .filter((id) => after === undefined || compareUtf8(id, after) > 0)
      .slice(0, limit)
      .map((id) => ({ id, expiresAt: this.rows.get(id)!.body!.expiresAt, tags: this.rows.get(id)!.body!.tags }))

  clear(prefix: string, mark: Stamp): void {
    this.marks.set(collectionTag(prefix), mark)
    this.changes += 1
    for (const id of [...this.leases.keys()]) if (id.startsWith(prefix)) this.leases.delete(id)
  }

  /** All that is over. */
  sweep: ShardService["sweep"] = (_, now) => {
    const over = [...this.rows.values()].filter(
      (row) => (row.body?.expiresAt ?? row.deletedAt + tombstoneMillis) <= now || this.isDead(row)
    )
    for (const { id } of over) this.rows.delete(id)
    for (const [tag, { wall }] of this.marks) if (wall + tombstoneMillis <= now) this.marks.delete(tag)
    return { dropped: over.length, next: 0 }
  }

  dirty: ShardService["dirty"] = () => this.changes > this.cleanAt

  capture(): CapturedImage {
    const rows = [...this.rows.values()].filter((row) => !this.isDead(row)).sort((a, b) => compareUtf8(a.id, b.id))
    return { rows, tags: new Map([...this.marks].sort(([a], [b]) => compareUtf8(a, b))), mark: this.changes }
  }

  clean(mark: number): void {
    if (mark >= this.lifeBegan) this.cleanAt = Math.max(this.cleanAt, mark)
  }

  merge: ShardService["merge"] = ({ rows, tags }) => {
    for (const [tag, mark] of tags) {
      if (compareStamps(mark, this.marks.get(tag) ?? zeroStamp) <= 0) continue
      this.marks.set(tag, mark)
      this.changes += 1
    }
    let taken = 0
    for (const row of rows) {
      const before = this.rows.get(row.id)
      if (before !== undefined && compareStamps(row.version, before.version) <= 0) continue
      this.put({ ...row, ahead: stampsAhead([...row.ahead, ...(before?.ahead ?? [])], row.version) })
      taken += 1
    }
    this.leases.clear()
    return taken
  }

  size() {
    const bodies = [...this.rows.values()].flatMap(({ body }) => (body === undefined ? [] : [body]))
    return {
      entries: bodies.length,
      tombstones: this.rows.size - bodies.length,
      bytes: bodies.reduce((sum, { value }) => sum + value.byteLength, 0)
    }
  }
}

const contentOf = ({ contentType, expiresAt, tags, value }: NonNullable<ShardWrite["body"]>) => [
  [...value],
  contentType,
  tags,
  String(expiresAt)
]
