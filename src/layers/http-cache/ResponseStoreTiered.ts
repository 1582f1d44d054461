import * as Clock from "effect/Clock"
import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import { type Bytes, EdgeResponses, type EdgeResponsesError } from "../../services/http-cache/EdgeResponses.ts"
import { type HttpCachePolicy, retainUntil } from "../../services/http-cache/model/HttpCachePolicy.ts"
import * as Purge from "../../services/http-cache/model/Purge.ts"
import * as Shelf from "../../services/http-cache/model/Shelf.ts"
import type { StoredResponse } from "../../services/http-cache/model/StoredResponse.ts"
import { type PurgeLog, PurgeLogError, retainedMillis } from "../../services/http-cache/PurgeLog.ts"
import { ResponseStore } from "../../services/http-cache/ResponseStore.ts"
import type { Observation } from "../../services/store/model/Entry.ts"
import { zeroStamp } from "../../services/store/model/Entry.ts"
import { MemoryTier, slotBytes } from "../../services/tiers/MemoryTier.ts"
import * as edgeJson from "./internal/edgeJson.ts"
import { recordBody } from "./internal/recordBody.ts"

export interface Options {
  readonly policy: HttpCachePolicy
  /** Milliseconds that memory's view of a resource counts before the edge is asked again, and purge marks with it. */
  readonly memoryTtl: number
  /** Where purges are kept that count everywhere, once it is known; without one, the location's edge keeps them. */
  readonly purgeLog?: () => PurgeLog | undefined
}

/** A body outlives the freshness it came with, since a 304 may extend it. */
const bodyMillis = 7 * 86_400_000
/** How long the edge remembers a drop: longer than any answer that was under way. */
const dropMillis = 3_600_000
/** A log of purges that did not answer is asked again after this. */
const againMillis = 5000

interface HeldShelf extends Shelf.Shelf {
  /** When the edge was asked last. */
  readonly readAt: number
}

/**
 * Memory in front of the edge. Both hold shelves (the variants of a resource) and bodies, apart from each other: a 304
 * rewrites a few hundred bytes, whatever the size of the body. Where nothing is at the edge, memory alone decides.
 */
export const make = (
  memory: Context.Tag.Service<MemoryTier>,
  edge: Context.Tag.Service<EdgeResponses>,
  { memoryTtl, policy, purgeLog = () => undefined }: Options
): Context.Tag.Service<ResponseStore> => {
  const shelves = new WeakMap<Observation, HeldShelf>()
  let marks: ReadonlyArray<Purge.PurgeMark> = []
  let marksReadAt = Number.NEGATIVE_INFINITY
  let logReadAt = Number.NEGATIVE_INFINITY

  const shelfId = (key: string): string => `shelf ${key}`
  const bodyId = (stored: StoredResponse): string => `body ${stored.id}`

  const current = (held: HeldShelf, now: number): boolean => !edge.enabled || now - held.readAt < memoryTtl

  const knowsMarks = (now: number): boolean =>
    (!edge.enabled && purgeLog() === undefined) || now - marksReadAt < memoryTtl

  const heldShelf = (key: string, now: number): HeldShelf | undefined => {
    const observation = memory.get(shelfId(key), now)
    return observation === undefined ? undefined : shelves.get(observation)
  }

  const holdShelf = (key: string, shelf: Shelf.Shelf, readAt: number, now: number): void => {
    const id = shelfId(key)
    const observation: Observation = { entry: undefined, readAt }
    shelves.set(observation, { ...shelf, readAt })
    const until = Math.max(
      shelf.droppedAt === Shelf.never ? 0 : shelf.droppedAt + dropMillis,
      ...shelf.variants.map((stored) => retainUntil(stored, policy))
    )
    if (until > now)
      memory.set(id, observation, { bytes: slotBytes(id, Shelf.bytesOf(shelf)), retainUntil: until }, now)
    else memory.delete(id)
  }

  const holdBody = (stored: StoredResponse, value: Uint8Array, now: number): void => {
    const id = bodyId(stored)
    const entry = { value, contentType: "", tags: [], stamp: zeroStamp, expiresAt: Infinity, loadMillis: 0 }
    const until = Math.max(retainUntil(stored, policy), now) + bodyMillis
    memory.set(id, { entry, readAt: now }, { bytes: slotBytes(id, value.byteLength), retainUntil: until }, now)
  }

  const living = (shelf: Shelf.Shelf, now: number): ReadonlyArray<StoredResponse> => {
    const oldest = purgeLog() === undefined ? Number.NEGATIVE_INFINITY : now - retainedMillis
    return marks.length === 0 && shelf.variants.every(({ requestTime }) => requestTime > oldest)
      ? shelf.variants
      : shelf.variants.filter((stored) => stored.requestTime > oldest && !Purge.isPurged(stored, marks))
  }

  /** A tier that does not answer is a miss. */
  const open = <A>(effect: Effect.Effect<A, EdgeResponsesError>, otherwise: A): Effect.Effect<A> =>
    Effect.catchAll(effect, (error) => Effect.as(Effect.logDebug("the edge did not answer", error), otherwise))

  /** One request asks; others go by what is known meanwhile. A log that does not answer is asked again soon. */
  const logged = (log: PurgeLog, now: number): Effect.Effect<ReadonlyArray<Purge.PurgeMark>> => {
    const since = Math.max(logReadAt, now - retainedMillis)
    if (logReadAt > Number.NEGATIVE_INFINITY) marksReadAt = now
    return Effect.match(
      Effect.tryPromise(() => log.read(since)),
      {
        onFailure: () => {
          marksReadAt = now - memoryTtl + Math.min(memoryTtl, againMillis)
          return []
        },
        onSuccess: (found) => {
          marksReadAt = now
          logReadAt = now
          return found
        }
      }
    )
  }

  const readMarks = (now: number): Effect.Effect<void> => {
    if (knowsMarks(now)) return Effect.void
    const log = purgeLog()
    const reading =
      log === undefined
        ? Effect.map(open(edgeJson.read(edge, "marks", edgeJson.marks), []), (found) => {
            marksReadAt = now
            return found
          })
        : logged(log, now)
    return Effect.map(reading, (found) => {
      const known = new Set(marks.map((mark) => JSON.stringify(mark)))
      for (const mark of found) {
        if (!known.has(JSON.stringify(mark))) marks = Purge.added(marks, mark, retainedOf())
      }
    })
  }

  const retainedOf = (): number => (purgeLog() === undefined ? bodyMillis : retainedMillis)

  const edgeShelf = (key: string): Effect.Effect<Shelf.Shelf> =>
    edge.enabled ? open(edgeJson.read(edge, shelfId(key), edgeJson.shelf), Shelf.empty) : Effect.succeed(Shelf.empty)

  const shelfOf = (key: string, now: number): Effect.Effect<Shelf.Shelf> => {
    const held = heldShelf(key, now)
    if (held !== undefined && current(held, now)) return Effect.as(readMarks(now), held)
    return Effect.map(Effect.zipRight(readMarks(now), edgeShelf(key)), (found) => {
      const shelf = Shelf.merged(found, held ?? Shelf.empty, policy.variants)
      if (shelf.variants.length > 0 || shelf.droppedAt !== Shelf.never) holdShelf(key, shelf, now, now)
      return shelf
    })
  }

  const changed = (key: string, change: (shelf: Shelf.Shelf, now: number) => Shelf.Shelf): Effect.Effect<void> =>
    Effect.gen(function* () {
      const now = yield* Clock.currentTimeMillis
      holdShelf(key, change(heldShelf(key, now) ?? Shelf.empty, now), now, now)
      if (!edge.enabled) return
      const shelf = change(
        Shelf.merged(yield* edgeShelf(key), heldShelf(key, now) ?? Shelf.empty, policy.variants),
        now
      )
      holdShelf(key, shelf, now, now)
      const until = Math.max(now + dropMillis, ...shelf.variants.map((stored) => retainUntil(stored, policy)))
      yield* open(edge.put(shelfId(key), edgeJson.encode(shelf), { until }), undefined)
    })

  const heldBody = (stored: StoredResponse, now: number): Uint8Array | undefined =>
    memory.get(bodyId(stored), now)?.entry?.value

  const withVariant = (stored: StoredResponse) => (shelf: Shelf.Shelf) =>
    Shelf.withVariant(shelf, stored, policy.variants)

  const keep = (key: string, stored: StoredResponse): Effect.Effect<void> => changed(key, withVariant(stored))

  const holdVariant = (key: string, stored: StoredResponse, now: number): void =>
    holdShelf(key, withVariant(stored)(heldShelf(key, now) ?? Shelf.empty), now, now)

  const putBody = (stored: StoredResponse, bytes: Bytes, size: number | undefined): Effect.Effect<boolean> =>
    Effect.flatMap(Clock.currentTimeMillis, (now) => {
      const until = Math.max(retainUntil(stored, policy), now) + bodyMillis
      const put = edge.put(bodyId(stored), bytes, { until, ...(size === undefined ? {} : { size }) })
      return open(Effect.as(put, edge.enabled), false)
    })

  const keepBody = (stored: StoredResponse, bytes: Uint8Array): Effect.Effect<boolean> =>
    Effect.gen(function* () {
      const small = bytes.byteLength <= policy.memoryBodyBytes
      if (small) holdBody(stored, bytes, yield* Clock.currentTimeMillis)
      const put = yield* putBody(stored, bytes, bytes.byteLength)
      return small || put
    })

  return {
    held: (key, now) => {
      const held = heldShelf(key, now)
      return held !== undefined && current(held, now) && knowsMarks(now) ? living(held, now) : undefined
    },
    heldBody,
    variants: (key) =>
      Effect.flatMap(Clock.currentTimeMillis, (now) => Effect.map(shelfOf(key, now), (shelf) => living(shelf, now))),
    body: (stored) =>
      Effect.gen(function* () {
        const now = yield* Clock.currentTimeMillis
        const held = heldBody(stored, now)
        if (held !== undefined) return Option.some({ bytes: held, tier: "memory" as const })
        const found = edge.enabled ? yield* open(edge.match(bodyId(stored)), Option.none()) : Option.none()
        if (Option.isNone(found)) return Option.none()
        if (stored.size > policy.memoryBodyBytes) return Option.some({ bytes: found.value, tier: "edge" as const })
        const bytes = yield* Effect.option(Effect.tryPromise(() => new Response(found.value).arrayBuffer()))
        if (Option.isNone(bytes) || bytes.value.byteLength !== stored.size) return Option.none()
        const value = new Uint8Array(bytes.value)
        holdBody(stored, value, now)
        return Option.some({ bytes: value, tier: "edge" as const })
      }),
    keepBody,
    record: (key, stored, body, announced) =>
      Effect.map(Effect.clock, (clock) => {
        const { ended, passing } = recordBody(body, {
          announced,
          small: policy.memoryBodyBytes,
          most: edge.enabled ? policy.bodyBytes : policy.memoryBodyBytes,
          large: (stream) => Effect.runPromise(Effect.withClock(putBody(stored, stream, announced), clock)),
          collected: (bytes) => {
            const now = clock.unsafeCurrentTimeMillis()
            const sized = { ...stored, size: bytes.byteLength }
            holdBody(sized, bytes, now)
            holdVariant(key, sized, now)
          }
        })
        const kept = Effect.flatMap(
          Effect.promise(() => ended),
          (recorded) => {
            if (recorded === undefined) return Effect.void
            const { bytes, size } = recorded
            const sized = { ...stored, size }
            const body = bytes === undefined ? Effect.succeed(true) : keepBody(sized, bytes)
            return Effect.flatMap(body, (taken) => (taken ? keep(key, sized) : Effect.void))
          }
        )
        return { passing, kept }
      }),
    keep,
    drop: (key) => changed(key, Shelf.dropped),
    purge: (mark) =>
      Effect.gen(function* () {
        const log = purgeLog()
        marks = Purge.added(marks, mark, retainedOf())
        if (log !== undefined) {
          const failed = (cause: unknown) => new PurgeLogError({ operation: "write", reason: "Unavailable", cause })
          return yield* Effect.tryPromise({ try: () => log.write(mark), catch: failed })
        }
        if (!edge.enabled) return
        const found = yield* open(edgeJson.read(edge, "marks", edgeJson.marks), [])
        const all = Purge.added(found, mark, bodyMillis)
        yield* open(edge.put("marks", edgeJson.encode(all), { until: mark.at + bodyMillis }), undefined)
      })
  }
}

export const layer = (options: Options): Layer.Layer<ResponseStore, never, MemoryTier | EdgeResponses> =>
  Layer.effect(
    ResponseStore,
    Effect.map(Effect.all([MemoryTier, EdgeResponses]), ([memory, edge]) => make(memory, edge, options))
  )
