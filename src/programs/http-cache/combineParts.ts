import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { HttpCacheSettings } from "../../services/http-cache/HttpCacheSettings.ts"
import * as Parts from "../../services/http-cache/model/Parts.ts"
import type { StoredResponse } from "../../services/http-cache/model/StoredResponse.ts"
import { ResponseStore } from "../../services/http-cache/ResponseStore.ts"

/** A part with its bytes. */
export interface KeptPart {
  readonly stored: StoredResponse
  readonly bytes: Uint8Array
}

/** A stored part and its bytes; none where they are not in memory, nor fit there. */
export const keptPart = (stored: StoredResponse): Effect.Effect<Option.Option<KeptPart>, never, ResponseStore> =>
  Effect.gen(function* () {
    const found = yield* (yield* ResponseStore).body(stored)
    if (Option.isNone(found) || !(found.value.bytes instanceof Uint8Array)) return Option.none()
    return Option.some({ stored, bytes: found.value.bytes })
  })

/** Keeps two parts of one state as one response; none where they are not of one state, or apart from each other. */
export const keepTogether = (
  key: string,
  earlier: KeptPart,
  later: KeptPart
): Effect.Effect<Option.Option<StoredResponse>, never, ResponseStore> =>
  Effect.gen(function* () {
    const { policy } = yield* HttpCacheSettings
    const store = yield* ResponseStore
    const stored = Parts.together(crypto.randomUUID(), earlier.stored, later.stored)
    if (stored === undefined || stored.size > policy.memoryBodyBytes) return Option.none()
    const bytes = new Uint8Array(stored.size)
    const start = Math.min(earlier.stored.part!.first, later.stored.part!.first)
    for (const { bytes: own, stored: from } of [earlier, later]) bytes.set(own, from.part!.first - start)
    if (!(yield* store.keepBody(stored, bytes))) return Option.none()
    yield* store.keep(key, stored)
    return Option.some(stored)
  })

/** After a part was kept: puts it together with the part whose place it has taken. */
export const joinWith = (
  key: string,
  earlier: StoredResponse,
  later: StoredResponse
): Effect.Effect<void, never, ResponseStore> =>
  Effect.gen(function* () {
    if (Parts.together("", earlier, later) === undefined) return
    const both = Option.all([yield* keptPart(earlier), yield* keptPart(later)])
    if (Option.isSome(both)) yield* keepTogether(key, ...both.value)
  })
