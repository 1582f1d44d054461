import * as Option from "effect/Option"
import type { KvEntry } from "../../../services/kv/Kv.ts"
import { type Consistency, horizonOf, type Version } from "../../../services/simulation/model/KvConsistency.ts"

/** The writes to a namespace: per key the newest, and behind it those that some location may still see. */
export interface KvHistory {
  readonly head: (key: string) => Version
  readonly write: (
    key: string,
    now: number,
    version: Pick<Version, "answer" | "expiresAt" | "putAt" | "seenBy">
  ) => void
  /** Every key ever written or there from the beginning, deleted and expired ones included. */
  readonly names: () => Iterable<string>
}

/** What the namespace holds before its first write. */
export interface KvBeginning {
  /** Asked again and again, so that nothing need be kept. Default: it is empty. */
  readonly initial?: (key: string) => KvEntry | undefined
  /** The keys of `initial`, for lists; without it lists show only what was written since. */
  readonly initialKeys?: () => Iterable<string>
}

export const make = (consistency: Consistency, beginning: KvBeginning): KvHistory => {
  const horizon = horizonOf(consistency)
  const heads = new Map<string, Version>()
  let serial = 0

  const head = (key: string): Version => {
    const found = heads.get(key)
    if (found !== undefined) return found
    const entry = beginning.initial?.(key)
    return entry === undefined ? never : { ...never, answer: Option.some(entry) }
  }

  function* names(): Iterable<string> {
    yield* heads.keys()
    for (const key of beginning.initialKeys?.() ?? []) if (!heads.has(key)) yield key
  }

  return {
    head,
    write: (key, now, { answer, expiresAt, putAt, seenBy }) => {
      const previous = horizon === 0 ? undefined : head(key)
      if (previous !== undefined) forget(previous, now - horizon)
      serial += 1
      heads.set(key, { answer, writtenAt: now, expiresAt, putAt, serial, seenBy, previous })
    },
    names
  }
}

/** Cuts off what lies behind the newest version that everyone has seen. */
const forget = (head: Version, seenBefore: number): void => {
  let version = head
  while (version.previous !== undefined && version.writtenAt > seenBefore) version = version.previous
  version.previous = undefined
}

/** Before its first write a key was never written by anyone. */
const never: Version = {
  answer: Option.none(),
  writtenAt: Number.NEGATIVE_INFINITY,
  expiresAt: Number.POSITIVE_INFINITY,
  putAt: Number.NEGATIVE_INFINITY,
  serial: 0,
  seenBy: -1,
  previous: undefined
}
