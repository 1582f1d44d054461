import type { ShardWrite } from "../../../src/services/durable/Shard.ts"
import type { Stamp } from "../../../src/services/store/model/Entry.ts"

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
  /** Of a fill: its shard was not to keep it. */
  unstored?: true
}

/** What stands under an id from a moment on. `either`: the clocks were too close to say whether it is dead. */
export interface State {
  readonly at: number
  readonly by: Change | undefined
  readonly present: "yes" | "no" | "either"
  readonly version: Stamp | undefined
  /** What stood before had expired, and may have been swept, when this came from outside. */
  readonly unordered?: boolean
}

interface Invalidation {
  readonly at: number
  readonly by: Change
  readonly shard: string
  readonly tags: ReadonlyArray<string>
  /** Its shard has lost its disk since; whether a snapshot had the mark is not looked into. */
  lost?: true
}

/** What was asked, and what took effect in the shards when: told by what arrived, not by the rules that order it. */
export interface DurableRecord {
  readonly changes: Array<Change>
  readonly invalidations: Array<Invalidation>
  /** By id, in their order; the first one begins before all time. */
  readonly states: ReadonlyMap<string, ReadonlyArray<State>>
  readonly of: (id: string) => Array<State>
  /** Milliseconds by which the clocks differ at most, and a little. */
  readonly spread: number
  /** What a change is known by in the shards. */
  readonly stamped: (change: Change, stamp: Stamp) => void
  readonly changeOf: (stamp: Stamp) => Change | undefined
  /** Objects that keys move to are told an old one's mark in place of the stamp. */
  readonly marked: (change: Change, mark: Stamp, tags: ReadonlyArray<string>) => void
  readonly invalidation: (stamp: Stamp, tags: ReadonlyArray<string>) => Change
  readonly changeBy: (write: Pick<ShardWrite, "body" | "stamp">) => Change | undefined
  readonly lose: (id: string, at: number) => void
  /** When the disk was lost that an id was on; before all time if it never was. */
  readonly lostAt: (id: string) => number
  /** An entry that has expired, or was invalidated, leaves no tombstone: once swept, it orders nothing any more. */
  readonly hasLapsed: (id: string) => boolean
  /** Whether something took effect under the id that may count as later than what began at `invokedAt`. */
  readonly supersededSince: (id: string, invokedAt: number) => boolean
  /** Since when an isolate's memory has its own acknowledged write. */
  readonly ownSince: (id: string, isolate: number, invokedAt: number) => number
  /** Whether the id had this to answer at some time from `from` to `to`, and not from before `since`. */
  readonly stood: (id: string, found: number | undefined, from: number, to: number, since: number) => boolean
}

/** @param skews by how much each isolate's clock is ahead */
export const makeRecord = (now: () => number, skews: ReadonlyArray<number>): DurableRecord => {
  const changes: Array<Change> = []
  const states = new Map<string, Array<State>>()
  const byStamp = new Map<string, Change>()
  const byMark = new Map<string, Change>()
  const lost = new Map<string, number>()
  const spread = Math.max(0, ...skews) - Math.min(0, ...skews) + 2

  const of = (id: string): Array<State> => {
    const known = states.get(id)
    if (known !== undefined) return known
    const made: Array<State> = [{ at: Number.NEGATIVE_INFINITY, by: undefined, present: "no", version: undefined }]
    states.set(id, made)
    return made
  }

  const changeOf = (stamp: Stamp) => byStamp.get(keyOf(stamp))

  return {
    changes,
    invalidations: [],
    states,
    of,
    spread,
    stamped: (change, stamp) => void byStamp.set(keyOf(stamp), change),
    changeOf,
    marked: (change, mark, tags) => void byMark.set(`${keyOf(mark)} ${tags}`, change),
    invalidation: (stamp, tags) => changeOf(stamp) ?? byMark.get(`${keyOf(stamp)} ${tags}`)!,
    changeBy: ({ body, stamp }) => (body === undefined ? changeOf(stamp) : changes[numberIn(body.value)]),
    lose: (id, at) => void lost.set(id, at),
    lostAt: (id) => lost.get(id) ?? Number.NEGATIVE_INFINITY,
    hasLapsed: (id) => {
      const { by, present, unordered } = of(id).at(-1)!
      if (unordered) return true
      const isEntry = by?.kind === "set" || by?.kind === "fill"
      return isEntry && (present !== "yes" || by.expiresAt <= now())
    },
    supersededSince: (id, invokedAt) => of(id).some(({ at }) => at >= invokedAt - spread),
    ownSince: (id, isolate, invokedAt) => {
      let since = Number.NEGATIVE_INFINITY
      for (const { at, by } of of(id)) {
        if (by?.isolate !== isolate || by.kind === "fill" || by.committedAt !== at) continue
        if (by.ended?.as === "stored" && by.ended.at < invokedAt) since = at
      }
      return since
    },
    stood: (id, found, from, to, since) => {
      const all = of(id)
      return all.some(({ at, by, present }, index) => {
        const until = all[index + 1]?.at ?? Number.POSITIVE_INFINITY
        if (at > to || until < from || at < since) return false
        if (found !== undefined) return present !== "no" && by?.number === found
        return present !== "yes" || (by !== undefined && by.expiresAt - spread <= to)
      })
    }
  }
}

export const keyOf = ({ counter, wall, writer }: Stamp): string => `${wall}.${counter}.${writer}`

/** A value is the number of the change that wrote it. */
export const numberIn = (value: Uint8Array): number => Number(new TextDecoder().decode(value))
