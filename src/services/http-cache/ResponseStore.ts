import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type * as Option from "effect/Option"
import type { Bytes } from "./EdgeResponses.ts"
import type { Tier } from "./model/CacheStatus.ts"
import type { PurgeMark } from "./model/Purge.ts"
import type { StoredResponse } from "./model/StoredResponse.ts"
import type { PurgeLogError } from "./PurgeLog.ts"

export interface Recording {
  readonly passing: ReadableStream<Uint8Array> | null
  /** Ends when every tier has what it takes. */
  readonly kept: Effect.Effect<void>
}

export interface FoundBody {
  readonly bytes: Bytes
  readonly tier: Tier
}

/**
 * Where a cache keeps its responses: per resource (`key`) the variants, and their bodies apart from them. A failing
 * tier is a miss, and what it does not take is not kept: no method fails but `purge`.
 */
export class ResponseStore extends Context.Tag("larder/ResponseStore")<
  ResponseStore,
  {
    /** What this isolate may answer with, without asking anybody; undefined when it has to ask. */
    readonly held: (key: string, now: number) => ReadonlyArray<StoredResponse> | undefined
    readonly heldBody: (stored: StoredResponse, now: number) => Readonly<Uint8Array> | undefined
    /** The variants kept of a resource, whether fresh or not. */
    readonly variants: (key: string) => Effect.Effect<ReadonlyArray<StoredResponse>>
    readonly body: (stored: StoredResponse) => Effect.Effect<Option.Option<FoundBody>>
    /**
     * Passes a body on to a client and keeps both it and the variant on the way, in bounded memory: the source is read
     * as fast as the slower of both takes it. A client that goes away does not end it. Not kept: a body that fails, that
     * is too large, or that has not the size it was announced with. Memory has what is small before the client has its
     * end, so that the client's next request finds it.
     */
    readonly record: (
      key: string,
      stored: StoredResponse,
      body: ReadableStream<Uint8Array> | null,
      announced?: number
    ) => Effect.Effect<Recording>
    /** Keeps a body that is here already; false when no tier took it. */
    readonly keepBody: (stored: StoredResponse, bytes: Readonly<Uint8Array>) => Effect.Effect<boolean>
    /**
     * Keeps the variant in place of the one it replaces. Not where the resource was dropped since its request left, so
     * that an answer from before a write does not outlive the write.
     */
    readonly keep: (key: string, stored: StoredResponse) => Effect.Effect<void>
    /** Forgets a resource; answers under way are not kept. */
    readonly drop: (key: string) => Effect.Effect<void>
    readonly purge: (mark: PurgeMark) => Effect.Effect<void, PurgeLogError>
  }
>() {}
