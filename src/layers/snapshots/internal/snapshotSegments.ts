import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { concat } from "../../../services/base/model/ByteCodec.ts"
import { type Kv, KvError } from "../../../services/kv/Kv.ts"
import type { SegmentName } from "../../../services/snapshots/model/Generation.ts"
import { type Block, valueOf } from "./snapshotFrames.ts"

/** Segments in KV: written once under a key that is never used again, read, and in the end deleted. */
export const make = (kv: Context.Tag.Service<Kv>, partBytes: number) => {
  const keysOf = (shard: string, { name, parts }: SegmentName): ReadonlyArray<string> =>
    Array.from({ length: parts }, (_, part) => `${prefixOf(shard)}${name}/${part}`)

  const nameOf = (group: ReadonlyArray<Block>, now: number): SegmentName => ({
    name: `${now}-${crypto.randomUUID()}`,
    parts: Math.ceil(group.reduce((sum, { frame }) => sum + frame.byteLength, 0) / partBytes)
  })

  const put = (shard: string, name: SegmentName, group: ReadonlyArray<Block>): Effect.Effect<void, KvError> =>
    Effect.suspend(() => {
      const value = valueOf(group)
      return Effect.forEach(
        keysOf(shard, name),
        (key, part) => kv.put(key, value.subarray(part * partBytes, (part + 1) * partBytes)),
        { discard: true }
      )
    })

  /** A part that is not there is not visible here yet: what a generation names is kept. */
  const get = (shard: string, name: SegmentName): Effect.Effect<Uint8Array, KvError> =>
    Effect.map(
      Effect.forEach(keysOf(shard, name), (key) =>
        Effect.flatMap(
          kv.get(key),
          Option.match({
            onNone: () => Effect.fail(notVisible(key)),
            onSome: ({ value }) => Effect.succeed(value)
          })
        )
      ),
      concat
    )

  /** Deletes them; those that could not be deleted remain. */
  const forget = <S extends SegmentName>(
    shard: string,
    superseded: ReadonlyArray<S>
  ): Effect.Effect<ReadonlyArray<S>> =>
    Effect.filter(superseded, (segment) =>
      Effect.isFailure(Effect.forEach(keysOf(shard, segment), kv.delete, { discard: true }))
    )

  /** Segments that no generation names, left by a save that died: one billed list. */
  const orphans = (shard: string, named: ReadonlyArray<SegmentName>): Effect.Effect<ReadonlyArray<SegmentName>> => {
    const prefix = prefixOf(shard)
    const known = new Set(named.map(({ name }) => name))
    return kv.list({ prefix }).pipe(
      Effect.map(({ keys }) => {
        const parts = new Map<string, number>()
        for (const key of keys) {
          const [name, part] = key.name.slice(prefix.length).split("/")
          if (!known.has(name!)) parts.set(name!, Math.max(parts.get(name!) ?? 0, Number(part) + 1))
        }
        return [...parts].map(([name, count]) => ({ name, parts: count }))
      }),
      Effect.orElseSucceed(() => [])
    )
  }

  return { nameOf, put, get, forget, orphans }
}

const prefixOf = (shard: string): string => `~~seg/${encodeURIComponent(shard)}/`

class NotVisible extends Error {}

const notVisible = (key: string): KvError => {
  const cause = new NotVisible(`the segment ${key} is not visible here`)
  return new KvError({ operation: "get", reason: "Unavailable", cause })
}

/** Whether KV answered, and has no such segment. */
export const isNotVisible = ({ cause }: KvError): boolean => cause instanceof NotVisible
