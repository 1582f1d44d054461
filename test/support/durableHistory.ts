import { compareStamps, type Stamp } from "../../src/services/Entry.ts"
import { isFirst, type Shard, type ShardImage, type ShardWrite } from "../../src/services/Shard.ts"
import type { Lookup } from "../../src/services/Store.ts"
import { hasMoved, objectName, ownerOf, type Topology } from "../../src/services/Topology.ts"

/** What a client asked to be changed. Moments number events in their order; times are true milliseconds. */
export interface Change {
  readonly number: number
  readonly kind: "set" | "delete" | "fill" | "invalidate" | "clear"
  readonly isolate: number
  readonly ids: ReadonlyArray<string>
  readonly tags: ReadonlyArray<string>
  readonly invokedAt: number
  /** By the writer's clock. */
  expiresAt: number
  ended: { readonly at: number; readonly as: "stored" | "outside" | "failed" } | undefined
  /** When it took effect in a shard, and what it met there otherwise. */
  committedAt: number | undefined
  deliveredAt: number | undefined
  /** A load without a shard to ask: what it brings stays in its isolate's tiers. */
  alone: boolean
}

/** What stands under an id from a moment on. `either`: the clocks were too close to say whether it is dead. */
interface State {
  readonly at: number
  readonly by: Change | undefined
  readonly present: "yes" | "no" | "either"
  readonly version: Stamp | undefined
  /** What stood before had expired, and may have been swept, when this came from outside. */
  readonly unordered?: boolean
}

export interface Reading {
  readonly id: string
  readonly isolate: number
  readonly invokedAt: number
  readonly answeredAt: number
  /** The number in the value read; undefined for an absence. */
  readonly found: number | undefined
  readonly lookup: Lookup
  readonly loadable: boolean
  /** How long tiers in front may answer: ttl, and what the policy adds to it. */
  readonly longest: number
  readonly beyond: number
}

export class Broken extends Error {}

/**
 * The shards' life as it happened, against which every acknowledgement and every answer is held: what took effect when,
 * told by the writes that arrived and not by the rules that order them.
 *
 * @param skews by how much each isolate's clock is ahead
 */
export class DurableHistory {
  readonly changes: Array<Change> = []
  readonly trace: Array<string> = []
  private readonly states = new Map<string, Array<State>>()
  private readonly byStamp = new Map<string, Change>()
  private readonly grants = new Map<string, { readonly at: number; readonly states: number }>()
  private readonly captured = new Map<string, Array<{ readonly image: string; good: boolean }>>()
  /** When the disk was lost that an id was on. */
  private readonly lostAt = new Map<string, number>()
  private readonly objects = new Map<string, Shard["Type"]>()
  private readonly generations: Array<Topology>
  /** The first rule found broken, whoever caught the error. */
  found: string | undefined
  readonly counts: Record<string, number> = {}
  private readonly spread: number

  constructor(
    private readonly now: () => number,
    private readonly skews: ReadonlyArray<number>,
    shards: number,
    private readonly sharedEdge: boolean,
    private readonly began: number
  ) {
    this.generations = [{ generation: 0, shards }]
    this.spread = Math.max(0, ...skews) - Math.min(0, ...skews) + 2
  }

  count(what: string): void {
    this.counts[what] = (this.counts[what] ?? 0) + 1
  }

  tell(what: string): void {
    this.trace.push(`${this.since(this.now()).padStart(9)}  ${what}`)
  }

  private since(at: number): string {
    return String(Math.floor(at) - this.began)
  }

  private versionText({ counter, wall, writer }: Stamp): string {
    return `${this.since(wall)}.${counter}.${writer}`
  }

  moment(): number {
    return this.now()
  }

  broken(rule: string): never {
    this.tell(`BROKEN: ${rule}`)
    this.found ??= rule
    throw new Broken(rule)
  }

  // What the clients do

  invoke(kind: Change["kind"], isolate: number, ids: ReadonlyArray<string>, tags: ReadonlyArray<string>): Change {
    const change: Change = {
      number: this.changes.length,
      kind,
      isolate,
      ids,
      tags,
      invokedAt: this.now(),
      expiresAt: Number.POSITIVE_INFINITY,
      ended: undefined,
      committedAt: undefined,
      deliveredAt: undefined,
      alone: false
    }
    this.changes.push(change)
    this.tell(`isolate ${isolate} begins ${kind} #${change.number} ${ids.join()} ${tags.join()}`)
    return change
  }

  stamped(change: Change, stamp: Stamp): void {
    this.byStamp.set(keyOf(stamp), change)
  }

  end(change: Change, as: NonNullable<Change["ended"]>["as"]): void {
    const { committedAt, deliveredAt, ids, invokedAt, kind, number } = change
    this.count(`${kind} ${as}`)
    this.tell(`#${number} ended: ${as}`)
    change.ended = { at: this.now(), as }
    if (as !== "stored" || kind === "clear") return
    if (kind === "invalidate") {
      const done = new Set(this.invalidations.flatMap(({ by, shard }) => (by === change ? [shard] : [])))
      const covered = [...this.states.keys()].every((id) => [...done].some((object) => this.covers(object, id)))
      if (!covered || done.size < Math.min(...this.generations.map(({ shards }) => shards)))
        this.broken(`#${number} was acknowledged, and not every shard has invalidated`)
      return
    }
    if (deliveredAt === undefined) this.broken(`#${number} was acknowledged as stored, and never reached its shard`)
    if (committedAt === undefined && !this.supersededSince(ids[0]!, invokedAt)) {
      this.broken(`#${number} was acknowledged as stored, and neither took effect nor met a later write`)
    }
  }

  /** Whether something took effect under the id that may count as later than what began at `invokedAt`. */
  private supersededSince(id: string, invokedAt: number): boolean {
    return this.of(id).some(({ at }) => at >= invokedAt - this.spread)
  }

  // What the shards do

  /** The object that has an id now. */
  holderOf(id: string): string {
    for (let own = this.generations[0]!; ; ) {
      const name = objectName(ownerOf(own, id))
      const seal = this.objects.get(name)?.seal()
      if (seal === undefined || !hasMoved(seal, id)) return name
      own = seal.to
    }
  }

  /** Whether it has an id, will have it, or had it. */
  private covers(object: string, id: string): boolean {
    return this.generations.some((own) => objectName(ownerOf(own, id)) === object)
  }

  /** The shard, with everything that takes effect in it put down here. */
  watch(name: string, shard: Shard["Type"]): Shard["Type"] {
    this.objects.set(name, shard)
    return {
      ...shard,
      setSeal: (seal) => {
        const { generation } = seal.to
        if (!this.generations.some((known) => known.generation === generation)) this.generations.push(seal.to)
        this.tell(`${name} is ${seal.phase} up to "${seal.through}"${seal.done ? ", done" : ""}`)
        this.count(`seals ${seal.phase}`)
        shard.setSeal(seal)
      },
      apply: (writes, now) => {
        const results = shard.apply(writes, now)
        for (const [index, write] of writes.entries()) {
          const { outcome, version } = results[index]!
          this.arrived(write, outcome, version, now)
        }
        return results
      },
      lease: (id, until, now) => {
        const lease = shard.lease(id, until, now)
        if (lease !== undefined) this.grants.set(`${id}:${lease}`, { at: now, states: this.of(id).length })
        return lease
      },
      invalidateTags: (tags, stamp, now) => {
        const mark = shard.invalidateTags(tags, stamp, now)
        const by = this.byStamp.get(keyOf(stamp))!
        by.committedAt = now
        this.tell(`${name} invalidates ${tags.join()} for #${by.number}`)
        for (const [id, states] of this.states) {
          const last = states.at(-1)!
          if (!this.covers(name, id) || last.present === "no" || last.by === undefined) continue
          const holder = this.holderOf(id)
          if (holder !== name && shard.seal() !== undefined) continue
          // Rows that are on their way are ended where they arrive, by the same call.
          const present = shard.seal() === undefined ? "no" : "either"
          if (last.by.tags.some((tag) => tags.includes(tag))) states.push({ ...last, at: now, present })
        }
        this.invalidations.push({ at: now, by, shard: name, tags })
        return mark
      },
      clear: (prefix, stamp, limit, now) => {
        const deleted = shard.clear(prefix, stamp, limit, now)
        const by = this.byStamp.get(keyOf(stamp))!
        by.committedAt = now
        for (const [id, states] of this.states) {
          const last = states.at(-1)!
          if (this.holderOf(id) !== name || !id.startsWith(prefix) || last.present === "no") continue
          if (now >= last.by!.expiresAt) continue
          // What an invalidation may have ended already is not there to be deleted, and may lie there dead.
          const left = last.present === "either" ? last.by : by
          states.push({ at: now, by: left, present: "no", version: last.version })
        }
        return deleted
      },
      capture: () => {
        const captured = shard.capture()
        this.imaged(name, captured.image)
        const images = this.captured.get(name) ?? []
        images.push({ image: textOf(captured.image), good: false })
        this.captured.set(name, images)
        return captured
      },
      clean: (mark) => {
        shard.clean(mark)
        const last = this.captured.get(name)?.at(-1)
        if (last !== undefined) last.good = true
        this.count("snapshots")
        this.tell(`${name} has a snapshot`)
      },
      merge: (image, now) => {
        this.restored(name, image)
        const taken = shard.merge(image, now)
        for (const { body, id, version } of image.rows) {
          const by = body === undefined ? undefined : this.changes[numberIn(body.value)]
          this.of(id).push({ at: now, by, present: body === undefined ? "no" : "either", version })
        }
        return taken
      }
    }
  }

  private readonly invalidations: Array<{
    readonly at: number
    readonly by: Change
    readonly shard: string
    readonly tags: ReadonlyArray<string>
  }> = []

  private arrived(write: ShardWrite, outcome: string, version: Stamp, now: number): void {
    const change =
      write.body === undefined ? this.byStamp.get(keyOf(write.stamp)) : this.changes[numberIn(write.body.value)]
    if (change === undefined) return
    const first = write.lease !== undefined || isFirst(write, now)
    change.deliveredAt = now
    if (write.lease === undefined) this.arrivals.push(write)
    this.count(`arrived ${outcome}`)
    this.tell(
      `#${change.number} arrives ${first ? "first" : "again or from outside"}: ${outcome} as ${this.versionText(version)}`
    )
    if (outcome !== "applied") return
    const states = this.of(write.id)
    const before = states.at(-1)!
    const isOver = write.body !== undefined && write.body.expiresAt <= now
    if (!isOver && !this.hasLapsed(write.id)) this.mayTakeEffect(change, before, first)
    if (write.lease !== undefined) {
      this.count("fills applied")
      this.mayFill(change, write)
    }
    if (!this.hasLapsed(write.id) && before.version !== undefined && compareStamps(version, before.version) <= 0) {
      this.broken(
        `the version under ${write.id} went down from ${this.versionText(before.version)} to ${this.versionText(version)}`
      )
    }
    change.committedAt = now
    change.expiresAt = write.body?.expiresAt ?? change.expiresAt
    const unordered = !first && this.hasLapsed(write.id)
    states.push({ at: now, by: change, present: this.presence(change, write, first), version, unordered })
  }

  /** An entry that has expired, or was invalidated, leaves no tombstone: once swept, it orders nothing any more. */
  hasLapsed(id: string): boolean {
    const { by, present, unordered } = this.of(id).at(-1)!
    if (unordered) return true
    const isEntry = by?.kind === "set" || by?.kind === "fill"
    return isEntry && (present !== "yes" || by.expiresAt <= this.now())
  }

  private mayTakeEffect(change: Change, before: State, first: boolean): void {
    const { committedAt, ended, ids, invokedAt, number } = change
    const lostAt = this.lostAt.get(ids[0]!) ?? Number.NEGATIVE_INFINITY
    if (committedAt !== undefined && committedAt > lostAt) this.broken(`#${number} took effect twice`)
    if (ended?.as === "stored" && ended.at > lostAt)
      this.broken(`#${number} took effect after it was acknowledged as stored`)
    if (first || before.by === undefined) return
    if (invokedAt + this.spread < before.by.invokedAt) {
      this.broken(
        `#${number} from outside replaced #${before.by.number}, which is later by more than the clocks differ`
      )
    }
  }

  private mayFill(change: Change, { id, lease }: ShardWrite): void {
    const grant = this.grants.get(`${id}:${lease}`)
    const since = this.of(id).slice(grant?.states ?? 0)
    if (since.length > 0) this.broken(`the fill #${change.number} took effect over #${since.at(-1)!.by?.number}`)
    for (const { at, shard, tags } of this.invalidations) {
      if (!this.covers(shard, id) || grant === undefined || at <= grant.at) continue
      if (tags.some((tag) => change.tags.includes(tag)))
        this.broken(`the fill #${change.number} outlived an invalidation`)
    }
  }

  private presence(change: Change, write: ShardWrite, first: boolean): State["present"] {
    if (write.body === undefined) return "no"
    if (first) return "yes"
    const holder = this.holderOf(write.id)
    let presence: State["present"] = "yes"
    for (const { by, shard: where, tags } of this.invalidations) {
      if (!this.covers(where, write.id) || !tags.some((tag) => change.tags.includes(tag))) continue
      // Marks that not all of them had were not carried over to the objects there are now.
      if (change.invokedAt + this.spread < by.invokedAt && (where === holder || by.ended?.as === "stored")) return "no"
      if (change.invokedAt - this.spread <= by.invokedAt) presence = "either"
    }
    return presence
  }

  private imaged(shard: string, image: ShardImage): void {
    const rows = new Map(image.rows.map(({ body, id }) => [id, body && numberIn(body.value)]))
    for (const [id, states] of this.states) {
      const { by, present } = states.at(-1)!
      if (this.holderOf(id) !== shard || by === undefined) continue
      const expected = by.kind === "set" || by.kind === "fill" ? by.number : undefined
      const missing = present === "yes" && this.now() < by.expiresAt && rows.get(id) === undefined
      if (missing || (rows.get(id) !== undefined && rows.get(id) !== expected)) {
        this.broken(`a snapshot holds #${rows.get(id)} under ${id}, not #${expected}`)
      }
    }
  }

  private restored(shard: string, image: ShardImage): void {
    const images = this.captured.get(shard) ?? []
    const newest = images.findLastIndex(({ good }) => good)
    if (!images.slice(Math.max(0, newest)).some((one) => one.image === textOf(image))) {
      this.broken(`${shard} was restored from something older than its newest good snapshot`)
    }
  }

  /** Every write that ever arrived arrives once more, as nobody's first try. */
  resend(apply: (shard: string, writes: ReadonlyArray<ShardWrite>, now: number) => unknown): void {
    for (const { body, id, stamp } of [...this.arrivals]) {
      const isOver = body !== undefined && body.expiresAt <= this.now()
      if (!isOver && !this.lostAt.has(id) && !this.hasLapsed(id))
        apply(this.holderOf(id), [{ body, id, stamp }], this.now())
    }
  }

  private readonly arrivals: Array<ShardWrite> = []

  /** The disk of a shard is gone. */
  lose(shard: string): void {
    this.count("disks lost")
    this.tell(`${shard} loses its disk`)
    for (const [id, states] of this.states) {
      if (this.holderOf(id) !== shard) continue
      this.lostAt.set(id, this.now())
      states.push({ at: this.now(), by: undefined, present: "no", version: undefined })
    }
  }

  // What the clients are told

  read(reading: Reading): void {
    const { found, id, isolate, lookup } = reading
    this.count(`${found === undefined ? "absent" : "found"} in ${lookup.tier} ${lookup.freshness}`)
    const told = `isolate ${isolate} reads ${id}: ${found === undefined ? "nothing" : `#${found}`} from ${lookup.tier}, ${lookup.freshness}, of ${this.since(lookup.readAt - this.skews[isolate]!)}`
    this.tell(`${told}, asked at ${this.since(reading.invokedAt)}`)
    const change = found === undefined ? undefined : this.changes[found]
    if (change !== undefined && !change.ids.includes(id)) this.broken(`${id} was never given #${found}`)
    this.mayBeAlive(reading, change)
    if (lookup.tier === "kv" || lookup.tier === "loader") return
    this.mayBeThatOld(reading)
    const taken = lookup.readAt - this.skews[isolate]! - (this.sharedEdge ? this.spread : 0)
    const isAfresh = reading.longest === 0 && !reading.loadable && lookup.tier === "durable"
    const readAt = isAfresh ? Math.max(taken, reading.invokedAt) : taken
    if (change?.kind === "fill" && this.keptAside(change, reading, readAt)) return
    if (change?.ended?.as === "outside" && readAt <= change.ended.at) return
    if (found === undefined && this.asideAbsence(id, isolate, readAt)) return
    const own =
      lookup.tier === "memory" && !this.sharedEdge
        ? this.ownSince(id, isolate, reading.invokedAt)
        : Number.NEGATIVE_INFINITY
    if (!this.stood(id, found, readAt, reading.answeredAt, own)) {
      this.broken(
        `${told}: that did not stand in its shard between ${this.since(Math.max(readAt, own))} and ${this.since(reading.answeredAt)}`
      )
    }
  }

  /** An isolate's memory has its own acknowledged writes. */
  private ownSince(id: string, isolate: number, invokedAt: number): number {
    let since = Number.NEGATIVE_INFINITY
    for (const { at, by } of this.of(id)) {
      if (by?.isolate !== isolate || by.kind === "fill" || by.committedAt !== at) continue
      if (by.ended?.as === "stored" && by.ended.at < invokedAt) since = at
    }
    return since
  }

  /** A fill whose shard did not say that it was overtaken stays where it was loaded, unless that isolate knows better. */
  private keptAside(fill: Change, { id, invokedAt, isolate }: Reading, readAt: number): boolean {
    if (fill.ended === undefined || readAt > fill.ended.at + 1) return false
    if (!this.sharedEdge && isolate === fill.isolate && this.ownSince(id, isolate, invokedAt) > fill.invokedAt) {
      this.broken(`the fill #${fill.number} of ${id} outlived a change that its own isolate had acknowledged`)
    }
    return true
  }

  /** A delete that had to stay outside, or a load that brought nothing and had no shard to ask. */
  private asideAbsence(id: string, isolate: number, readAt: number): boolean {
    return this.changes.some(
      ({ alone, ended, ids, isolate: by, kind }) =>
        (kind === "delete" || (alone && kind === "fill")) &&
        (this.sharedEdge || by === isolate) &&
        ended?.as === "outside" &&
        ids.includes(id) &&
        readAt <= ended.at
    )
  }

  private mayBeAlive({ id, invokedAt, isolate, loadable, beyond }: Reading, change: Change | undefined): void {
    if (change === undefined) return
    const grace = (loadable ? beyond : 0) + this.spread
    if (change.expiresAt + grace <= invokedAt + this.skews[isolate]!)
      this.broken(`${id} was read after #${change.number} had expired`)
  }

  private mayBeThatOld({ beyond, id, invokedAt, longest, lookup, isolate }: Reading): void {
    if (lookup.tier === "durable") return
    const age = invokedAt + this.skews[isolate]! - lookup.readAt - (this.sharedEdge ? this.spread + 100 : 0)
    const limit = longest + (lookup.freshness === "fresh" ? 0 : beyond)
    if (age > limit)
      this.broken(`${id} was answered by ${lookup.tier}, ${lookup.freshness}, ${age} ms after it was read`)
  }

  /** Whether the id had this to answer at some time from `from` to `to`, and not from before `since`. */
  stood(id: string, found: number | undefined, from: number, to: number, since: number): boolean {
    const states = this.of(id)
    return states.some(({ at, by, present }, index) => {
      const until = states[index + 1]?.at ?? Number.POSITIVE_INFINITY
      if (at > to || until < from || at < since) return false
      if (found !== undefined) return present !== "no" && by?.number === found
      return present !== "yes" || (by !== undefined && by.expiresAt - this.spread <= to)
    })
  }

  /** All is over, and everything parked was adopted: what was acknowledged is there, or something later is. */
  settled(): void {
    for (const { committedAt, deliveredAt, ended, ids, invokedAt, kind, number } of this.changes) {
      if (ended?.as !== "outside" || (kind !== "set" && kind !== "delete")) continue
      const lostAt = this.lostAt.get(ids[0]!) ?? Number.NEGATIVE_INFINITY
      if (deliveredAt === undefined || deliveredAt < lostAt)
        this.broken(`#${number} was kept outside and never adopted`)
      if (committedAt === undefined && !this.supersededSince(ids[0]!, invokedAt))
        this.broken(`#${number} was adopted without effect`)
    }
  }

  ids(): ReadonlyArray<string> {
    return [...this.states.keys()]
  }

  private of(id: string): Array<State> {
    const known = this.states.get(id)
    if (known !== undefined) return known
    const made: Array<State> = [{ at: Number.NEGATIVE_INFINITY, by: undefined, present: "no", version: undefined }]
    this.states.set(id, made)
    return made
  }
}

const keyOf = ({ counter, wall, writer }: Stamp): string => `${wall}.${counter}.${writer}`

export const numberIn = (value: Uint8Array): number => Number(new TextDecoder().decode(value))

/** What a snapshot holds, in no order. */
const textOf = ({ rows, tags }: ShardImage): string =>
  [
    ...rows.map(({ body, id, version }) => `${id}=${body === undefined ? "" : numberIn(body.value)}@${keyOf(version)}`),
    ...[...tags].map(([tag, mark]) => `${tag}!${keyOf(mark)}`)
  ]
    .sort()
    .join("\n")
