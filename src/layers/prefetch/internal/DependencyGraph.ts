import { maxPredictions, type PrefetchStats } from "../../../services/prefetch/Prefetch.ts"
import { hashOf } from "../../tiers/FrequencySketch.ts"
import { DayPattern } from "./DayPattern.ts"
import { PairContexts } from "./PairContexts.ts"
import { classes, classOf, PrefetchGate } from "./PrefetchGate.ts"
import { nobody, PrefetchNodes } from "./PrefetchNodes.ts"
import { outstanding, PrefetchSessions, remembered } from "./PrefetchSessions.ts"
import { Successors } from "./Successors.ts"

export interface GraphOptions {
  /** Precision to hold, in (0, 1). */
  readonly precision: number
  /** Ids that are known at once, up to 65,535. */
  readonly ids?: number
  /** Contexts of two ids; a multiple of four. */
  readonly pairs?: number
  readonly sessions?: number
  /** Of the hash that sessions are named by. */
  readonly seed?: number
}

/** How many requests back one is taken for the cause of another: Padmanabhan and Mogul's lookahead window. */
const lookahead = 4

/** Milliseconds without a request after which a session begins anew. */
const gap = 60_000

/** How much oftener than by its popularity alone an id must follow, and by how many standard deviations. */
const leastLift = 1.5
const leastDeviation = 3

/**
 * An online dependency graph (Padmanabhan and Mogul 1996): an arc from what a session asked for to what it asked for
 * within the next four requests, with a second graph whose contexts are pairs, which is asked where it knows more. What
 * follows no oftener than its popularity explains is no prediction: a shuffled stream has none. All in typed arrays of
 * fixed size; the way of a read allocates nothing but a list of ids when there is something to fetch.
 */
export class DependencyGraph {
  readonly nodes: PrefetchNodes
  readonly singles: Successors
  readonly pairs: PairContexts
  readonly gate: PrefetchGate
  readonly day = new DayPattern()
  readonly #sessions: PrefetchSessions
  readonly #seed: number
  readonly #candidates = new Uint32Array(12)
  readonly #kinds = new Uint8Array(12)
  readonly #counts = {
    observed: 0,
    issued: 0,
    used: 0,
    wasted: 0,
    coverable: 0,
    covered: 0,
    timely: 0,
    carried: 0,
    carriedBytes: 0
  }

  constructor({ ids = 20_000, pairs = 8192, precision, seed = 0, sessions = 1024 }: GraphOptions) {
    this.singles = new Successors(ids, 8)
    this.pairs = new PairContexts(pairs)
    this.nodes = new PrefetchNodes(ids, (node) => this.singles.clear(node))
    this.gate = new PrefetchGate(precision)
    this.#seed = seed
    this.#sessions = new PrefetchSessions(sessions, gap, (kind, used, issued) => {
      this.gate.settle(kind, used, issued)
      if (issued) this.#counts[used ? "used" : "wasted"]++
    })
  }

  get bytes(): number {
    return (
      this.nodes.bytes + this.singles.bytes + this.pairs.bytes + this.#sessions.bytes + this.day.bytes + classes * 8
    )
  }

  note(session: string, id: string, now: number, held: boolean): void {
    const sessions = this.#sessions
    const row = sessions.enter(hashOf(session, this.#seed), now)
    const node = this.nodes.enter(id)
    const ref = this.nodes.refOf(node)
    this.#account(row, ref, held)
    sessions.answer(row, ref)
    this.#learn(row, ref)
    this.nodes.ask(node)
    this.day.note(ref, now)
    const before = sessions.history[row * remembered]!
    sessions.push(row, ref)
    this.#foresee(row, node, before === nobody ? -1 : this.pairs.enter(before, ref))
  }

  take(session: string, held: (id: string) => boolean, atLeast: number): ReadonlyArray<string> {
    const row = this.#sessions.index.get(hashOf(session, this.#seed))
    return row === undefined ? none : this.#takeFrom(row, held, Math.max(atLeast, this.gate.threshold))
  }

  carried(entries: number, bytes: number): void {
    this.#counts.carried += entries
    this.#counts.carriedBytes += bytes
  }

  stats(): PrefetchStats {
    const { carried, carriedBytes, coverable, covered, issued, observed, timely, used, wasted } = this.#counts
    const ratio = (part: number, whole: number) => (whole === 0 ? 0 : part / whole)
    return {
      observed,
      sessions: this.#sessions.index.size,
      ids: this.nodes.index.size,
      bytes: this.bytes,
      issued,
      used,
      wasted,
      precision: ratio(used, used + wasted),
      coverable,
      covered,
      coverage: ratio(covered, coverable),
      timeliness: ratio(timely, used),
      carried,
      carriedBytes,
      threshold: this.gate.threshold
    }
  }

  #account(row: number, ref: number, held: boolean): void {
    this.#counts.observed++
    const at = this.#sessions.find(row, ref)
    const issued = at !== -1 && this.#sessions.issued[at] === 1
    if (issued && held) this.#counts.timely++
    if (this.#sessions.knows(row, ref)) return
    this.#counts.coverable++
    if (issued) this.#counts.covered++
  }

  /** An arc from each of the latest requests, and from each pair of them, unless what was asked for now came since. */
  #learn(row: number, ref: number): void {
    const { history } = this.#sessions
    const from = row * remembered
    for (let back = from; back < from + lookahead; back++) {
      const cause = history[back]!
      if (cause === nobody || cause === ref) return
      const node = this.nodes.nodeOf(cause)
      if (node !== -1 && !isBefore(history, cause, from, back)) this.singles.bump(node, ref)
      const older = history[back + 1]!
      const pair = back === from + remembered - 1 || older === nobody ? -1 : this.pairs.find(older, cause)
      if (pair !== -1) this.pairs.successors.bump(pair, ref)
    }
  }

  #foresee(row: number, node: number, pair: number): void {
    let found = this.#weigh(row, 1, this.singles, node, 0)
    if (pair !== -1) found = this.#weigh(row, 2, this.pairs.successors, pair, found)
    for (let rank = 0; rank < Math.min(found, maxPredictions); rank++) {
      let best = rank
      for (let other = rank + 1; other < found; other++) {
        if (this.gate.confidence(this.#kinds[other]!) > this.gate.confidence(this.#kinds[best]!)) best = other
      }
      const ref = this.#candidates[best]!
      const kind = this.#kinds[best]!
      this.#candidates[best] = this.#candidates[rank]!
      this.#kinds[best] = this.#kinds[rank]!
      const at = this.#sessions.find(row, ref)
      if (at === -1) this.#sessions.predict(row, ref, kind)
      else if (
        this.#sessions.issued[at] === 0 &&
        this.gate.confidence(kind) > this.gate.confidence(this.#sessions.kind[at]!)
      ) {
        this.#sessions.kind[at] = kind
        this.#sessions.madeAt[at] = this.#sessions.requests[row]!
      }
    }
  }

  /** Adds what tends to follow a context to the candidates, and counts this occurrence of it. */
  #weigh(row: number, order: 1 | 2, graph: Successors, context: number, known: number): number {
    const { count, next, total, width } = graph
    const occurrences = total[context]!
    let found = known
    if (occurrences > 0) {
      for (let at = context * width; at < (context + 1) * width; at++) {
        const followed = count[at]!
        const node = followed === 0 ? -1 : this.nodes.nodeOf(next[at]!)
        if (node === -1 || !this.#exceedsChance(followed, occurrences, node) || this.#sessions.knows(row, next[at]!)) {
          continue
        }
        found = this.#candidate(next[at]!, classOf(order, occurrences, followed), found)
      }
    }
    graph.occur(context)
    return found
  }

  #candidate(ref: number, kind: number, found: number): number {
    for (let i = 0; i < found; i++) {
      if (this.#candidates[i] !== ref) continue
      if (this.gate.confidence(kind) > this.gate.confidence(this.#kinds[i]!)) this.#kinds[i] = kind
      return found
    }
    this.#candidates[found] = ref
    this.#kinds[found] = kind
    return found + 1
  }

  #exceedsChance(followed: number, occurrences: number, node: number): boolean {
    const share = this.nodes.asked[node]! / this.nodes.total
    const absentTwice = (1 - share) * (1 - share)
    const expected = occurrences * (1 - absentTwice * absentTwice)
    return followed >= leastLift * expected && followed - expected >= leastDeviation * Math.sqrt(expected)
  }

  #takeFrom(row: number, held: (id: string) => boolean, threshold: number): ReadonlyArray<string> {
    const sessions = this.#sessions
    let ids: Array<string> | undefined
    const from = row * outstanding
    for (let at = from; at < from + outstanding && (ids?.length ?? 0) < maxPredictions; at++) {
      const ref = sessions.predicted[at]!
      if (ref === nobody || sessions.issued[at] === 1 || this.gate.confidence(sessions.kind[at]!) < threshold) continue
      const node = this.nodes.nodeOf(ref)
      if (node === -1 || held(this.nodes.ids[node]!)) continue
      sessions.issued[at] = 1
      sessions.madeAt[at] = sessions.requests[row]!
      ids ??= []
      ids.push(this.nodes.ids[node]!)
    }
    this.#counts.issued += ids?.length ?? 0
    return ids ?? none
  }
}

const none: ReadonlyArray<string> = []

const isBefore = (history: Uint32Array, ref: number, from: number, to: number): boolean => {
  for (let at = from; at < to; at++) if (history[at] === ref) return true
  return false
}
