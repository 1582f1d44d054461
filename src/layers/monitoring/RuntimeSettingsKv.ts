import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import { Kv } from "../../services/kv/Kv.ts"
import { runtimeSettingsKey } from "../../services/kv/model/PhysicalKey.ts"
import { changed, type RuntimeState, settledAt, unchanged } from "../../services/settings/model/RuntimeState.ts"
import { RuntimeSettings, RuntimeSettingsError } from "../../services/settings/RuntimeSettings.ts"
import { zeroStamp } from "../../services/store/model/Entry.ts"
import { EdgeCache } from "../../services/tiers/EdgeCache.ts"
import { membersOf, parsed } from "../kv/jsonRecord.ts"

/** The id in the edge cache; no collection has an empty name. */
const edgeId = "/settings"

/** How long one location is content with what it has read. */
const edgeMillis = 60_000

/** One that cannot be read leaves those in force that were deployed; the next change replaces it. */
const stateIn = (value: Uint8Array): Effect.Effect<RuntimeState> =>
  Effect.suspend(() => {
    try {
      return Effect.succeed(parsed(value, isState))
    } catch (cause) {
      return Effect.as(
        Effect.logError("the settings changed at run time cannot be read: the deployed ones count", cause),
        unchanged
      )
    }
  })

const isState = (value: unknown): value is RuntimeState => {
  const { history, overrides, version } = membersOf(value)
  return Number.isInteger(version) && Array.isArray(history) && typeof overrides === "object" && overrides !== null
}

const bytesOf = (state: RuntimeState): Uint8Array => new TextEncoder().encode(JSON.stringify(state))

/**
 * Settings changed at run time as one value of the namespace, where there are no objects. A location reads it from KV
 * once a minute at most, and KV shows a change elsewhere a minute later: {@link boundSeconds} in all. Two changes within
 * that time may lose the first one, as KV cannot compare and set.
 */
export const make = (
  kv: Kv["Type"],
  edge: EdgeCache["Type"],
  onState: (state: RuntimeState) => void
): RuntimeSettings["Type"] => {
  const failed = (operation: RuntimeSettingsError["operation"]) => (cause: unknown) =>
    new RuntimeSettingsError({ operation, reason: "Unavailable", cause })

  const atEdge = Effect.orElseSucceed(edge.match(edgeId), Option.none)

  const keepAtEdge = (value: Uint8Array, now: number) =>
    Effect.ignore(
      edge.put(
        edgeId,
        {
          entry: {
            value,
            contentType: "application/json",
            tags: [],
            stamp: zeroStamp,
            expiresAt: now + edgeMillis,
            loadMillis: 0
          },
          readAt: now
        },
        now + edgeMillis
      )
    )

  const fromKv = Effect.gen(function* () {
    const found = yield* kv.get(runtimeSettingsKey)
    const now = yield* Clock.currentTimeMillis
    const value = Option.isSome(found) ? found.value.value : bytesOf(unchanged)
    yield* keepAtEdge(value, now)
    return yield* stateIn(value)
  })

  const settled = (state: RuntimeState) => Effect.map(Clock.currentTimeMillis, (now) => settledAt(state, now))
  const told = (state: RuntimeState) => Effect.sync(() => onState(state))

  return {
    read: Effect.flatMap(atEdge, (found) => {
      const entry = Option.getOrUndefined(found)?.entry
      return entry === undefined ? fromKv : stateIn(entry.value)
    }).pipe(Effect.flatMap(settled), Effect.tap(told), Effect.mapError(failed("read"))),
    change: (change) =>
      Effect.gen(function* () {
        const now = yield* Clock.currentTimeMillis
        const before = yield* Effect.flatMap(fromKv, settled)
        const after = changed(before, change, now)
        if (after !== before) yield* kv.put(runtimeSettingsKey, bytesOf(after))
        yield* keepAtEdge(bytesOf(after), now)
        return after
      }).pipe(Effect.tap(told), Effect.mapError(failed("change"))),
    boundSeconds: 180
  }
}

export const layer = (onState: (state: RuntimeState) => void): Layer.Layer<RuntimeSettings, never, Kv | EdgeCache> =>
  Layer.effect(
    RuntimeSettings,
    Effect.map(Effect.all([Kv, EdgeCache]), ([kv, edge]) => make(kv, edge, onState))
  )
