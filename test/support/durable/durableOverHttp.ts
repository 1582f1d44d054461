import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import { type DurableCache, DurableCacheError } from "../../../src/services/durable/DurableCache.ts"
import type { ShardWritten } from "../../../src/services/durable/Shard.ts"
import type { Entry } from "../../../src/services/store/model/Entry.ts"
import type { World } from "../../contracts/durable/DurableCache.ts"
import { decode, encode } from "./wire.ts"

type Either = { readonly _tag: "Right"; readonly right: unknown } | { readonly _tag: "Left"; readonly left: unknown }

interface Answer {
  readonly exit: Either
  readonly billed: { readonly requests: number; readonly rowsRead: number; readonly rowsWritten: number }
}

/** The cache of `durableWorker`, one HTTP request per call. */
export const worldOf = (
  base: URL,
  shards: number,
  options: { readonly object?: string; readonly space?: string } = {}
): World => {
  const { object = "CACHE_DO", space = crypto.randomUUID() } = options
  const total = { requests: 0, rowsRead: 0, rowsWritten: 0 }

  const call = <A>(method: string, ...args: ReadonlyArray<unknown>): Effect.Effect<A, DurableCacheError> =>
    Effect.flatMap(
      Effect.promise(async () => {
        const query = new URLSearchParams({ object, space, shards: String(shards) })
        const response = await fetch(new URL(`/${method}?${query}`, base), {
          headers: { Connection: "close" },
          method: "POST",
          body: encode(args)
        })
        return decode(await response.text()) as Answer
      }),
      ({ billed, exit }) => {
        total.requests += billed.requests
        total.rowsRead += billed.rowsRead
        total.rowsWritten += billed.rowsWritten
        return exit._tag === "Right" ? Effect.succeed(exit.right as A) : Effect.fail(errorOf(exit.left))
      }
    )

  const cache: DurableCache["Type"] = {
    getMany: (ids) =>
      Effect.map(Effect.orDie(call<ReadonlyArray<Entry | undefined>>("getMany", ids)), (entries) =>
        entries.map((entry) => (entry !== undefined && "reason" in entry ? errorOf(entry) : entry))
      ),
    lease: (id, patience) => call("lease", id, Duration.toMillis(patience)),
    release: (id, lease) => call("release", id, lease),
    apply: (writes) =>
      Effect.map(Effect.orDie(call<ReadonlyArray<unknown>>("apply", writes)), (results) =>
        results.map((result) =>
          typeof result === "object" && result !== null && "outcome" in result
            ? (result as ShardWritten)
            : errorOf(result)
        )
      ),
    invalidateTags: (tags, stamp) => call("invalidateTags", tags, stamp),
    list: (prefix, after, limit) => call("list", prefix, after, limit),
    clear: (prefix, stamp) => call("clear", prefix, stamp),
    stats: Effect.orDie(call("stats")),
    flush: call("flush"),
    restore: (saved) => call("restore", saved),
    objectOf: () => {
      throw new Error("the test asks for no object")
    },
    enabled: true
  }
  return { cache, billed: () => ({ ...total }), large: call("largeValues") }
}

const errorOf = (json: unknown): DurableCacheError =>
  new DurableCacheError(json as ConstructorParameters<typeof DurableCacheError>[0])
