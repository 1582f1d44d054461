import type * as Option from "effect/Option"
import { uniformOf } from "../../base/model/Random.ts"
import type { KvEntry } from "../../kv/Kv.ts"

/**
 * How late a write is seen. KV documents "up to 60 seconds or more" and "usually immediately visible" at the writing
 * location (kv/concepts/how-kv-works); what "or more" and "usually" amount to it does not say: `tail`, `ownWrites` and
 * `listLag` are assumptions. Durations in milliseconds.
 */
export interface Consistency {
  /** The least time a location reuses an answer, "there is none" included; a longer `cacheTtl` extends it. */
  readonly reuse: number
  /** The "or more": with `probability` a write stays unseen in a location for up to `max` even by an uncached read. */
  readonly tail: { readonly probability: number; readonly max: number }
  /** Probability that a write drops what its own location has cached. */
  readonly ownWrites: number
  /** A write stays unseen by lists for up to this long, in every location. */
  readonly listLag: number
}

export const documented: Consistency = {
  reuse: 60_000,
  tail: { probability: 0.01, max: 60_000 },
  ownWrites: 0.999,
  listLag: 60_000
}

export const immediate: Consistency = { reuse: 0, tail: { probability: 0, max: 0 }, ownWrites: 1, listLag: 0 }

/** One write to a key, and the one before it for as long as some location may not have seen this one. */
export interface Version {
  /** None: the key was deleted, or never written. */
  readonly answer: Option.Option<KvEntry>
  /** Milliseconds since the epoch, as all moments here. */
  readonly writtenAt: number
  readonly expiresAt: number
  /** When the key last took a put: what its limit of one a second is counted from. */
  readonly putAt: number
  readonly serial: number
  /** The location that sees it at once; -1 for none. */
  readonly seenBy: number
  previous: Version | undefined
}

/** After how long a write is seen by every read and every list. */
export const horizonOf = (consistency: Consistency): number => Math.max(consistency.tail.max, consistency.listLag)

/** The longest that a read in some location may answer with what had been there before a write. */
export const lagOf = ({ reuse, tail }: Consistency): number => reuse + tail.max

/** What an uncached read in a location finds. Never older than the last write `tail.max` ago. */
export const readVersion = (
  head: Version,
  consistency: Consistency,
  seed: number,
  location: number,
  now: number
): Version => {
  const { probability, max } = consistency.tail
  let version = head
  while (version.previous !== undefined && version.seenBy !== location && now < version.writtenAt + max) {
    const draw = uniformOf(seed, version.serial, location)
    if (draw >= probability || now >= version.writtenAt + (draw / probability) * max) return version
    version = version.previous
  }
  return version
}

/** What a list in a location finds. Never older than the last write `listLag` ago. */
export const listVersion = (
  head: Version,
  consistency: Consistency,
  seed: number,
  location: number,
  now: number
): Version => {
  let version = head
  while (
    version.previous !== undefined &&
    now < version.writtenAt + uniformOf(~seed, version.serial, location) * consistency.listLag
  ) {
    version = version.previous
  }
  return version
}
