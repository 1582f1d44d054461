import * as Chunk from "effect/Chunk"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"

/** Between two events. Each costs one Durable Object request, while a page is open. */
const interval = "5 seconds"

/** After this it ends, and who still looks comes back. */
const lifeMillis = 300_000

/** What a read gives as server-sent events, until the client goes or the stream's life is over. */
export const performanceStream = <A, E>(read: Effect.Effect<A, E>): Stream.Stream<Uint8Array> =>
  Stream.paginateChunkEffect(undefined as number | undefined, (endsAt) =>
    Effect.gen(function* () {
      if (endsAt !== undefined) yield* Effect.sleep(interval)
      const now = yield* Clock.currentTimeMillis
      const text = yield* Effect.match(read, {
        onFailure: () => "event: unavailable\ndata: {}\n\n",
        onSuccess: (figures) => `data: ${JSON.stringify(figures)}\n\n`
      })
      const until = endsAt ?? now + lifeMillis
      return [Chunk.of(text), now < until ? Option.some(until) : Option.none<number>()] as const
    })
  ).pipe(Stream.encodeText)
