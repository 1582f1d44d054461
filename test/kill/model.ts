/** What one write leaves under its key: a number put, or nothing. */
export type Left = number | "absent"

interface Key {
  acknowledged: boolean
  /** What the last acknowledged write left, or what was found there since. */
  known: Left
  /** What writes have left, or may have, that were sent since and never answered. */
  open: Array<Left>
}

/**
 * What must be found after a restart. Contended keys are overwritten and deleted again and again, each by one writer that
 * waits for every answer, so that the order of its writes is known; single ones are written once.
 */
export class Model {
  private readonly contended: ReadonlyArray<Key>
  private readonly singles = new Map<number, "open" | "acknowledged">()
  private numbers = 0
  acknowledged = 0
  /** Contended keys found as the last acknowledged write left them, and as a later one did that got no answer. */
  asAcknowledged = 0
  asSent = 0
  /** Times that an acknowledged single was read back. */
  singlesRead = 0

  constructor(contended: number) {
    this.contended = Array.from({ length: contended }, () => ({ acknowledged: false, known: "absent", open: [] }))
  }

  next(): number {
    return ++this.numbers
  }

  sent(key: number, left: Left): void {
    this.contended[key]!.open.push(left)
  }

  answered(key: number, left: Left): void {
    this.acknowledged += 1
    Object.assign(this.contended[key]!, { acknowledged: true, known: left, open: [] })
  }

  sentOnce(number: number): void {
    this.singles.set(number, "open")
  }

  answeredOnce(number: number): void {
    this.acknowledged += 1
    this.singles.set(number, "acknowledged")
  }

  keys(): ReadonlyArray<string> {
    return [...this.contended.keys()].map((key) => `k${key}`)
  }

  singleKeys(): ReadonlyArray<string> {
    return [...this.singles.keys()].map((number) => `s${number}`)
  }

  /** Holds what was found under a key against what was acknowledged; what is wrong with it, or undefined. */
  found(name: string, seen: Left): string | undefined {
    const number = Number(name.slice(1))
    return name.startsWith("k") ? this.foundContended(number, seen) : this.foundSingle(number, seen)
  }

  private foundContended(key: number, seen: Left): string | undefined {
    const state = this.contended[key]!
    if (seen === state.known) this.asAcknowledged += state.acknowledged ? 1 : 0
    else if (state.open.includes(seen)) this.asSent += 1
    else return `k${key}: found ${seen}, acknowledged ${state.known}, sent since: ${state.open.join(" ")}`
    state.known = seen
    state.open = []
    return undefined
  }

  private foundSingle(number: number, seen: Left): string | undefined {
    const state = this.singles.get(number)!
    if (seen !== number && seen !== "absent") return `s${number}: found ${seen}`
    if (seen === "absent" && state === "acknowledged") return `s${number}: was acknowledged and is gone`
    if (state === "acknowledged") this.singlesRead += 1
    // Found or not, once seen it stays so.
    if (seen === "absent") this.singles.delete(number)
    else this.singles.set(number, "acknowledged")
    return undefined
  }
}
