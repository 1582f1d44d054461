import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"

/** Where workerd finds that the client is gone, it says so through the request's signal. */
const untilGone = <A, E, R>(signal: AbortSignal, stream: Stream.Stream<A, E, R>): Stream.Stream<A, E, R> =>
  Stream.interruptWhen(
    stream,
    Effect.async<void>((resume) => {
      const gone = () => resume(Effect.void)
      if (signal.aborted) return gone()
      signal.addEventListener("abort", gone, { once: true })
      return Effect.sync(() => signal.removeEventListener("abort", gone))
    })
  )

/** Server-sent events, until they end or the client of the request is gone. */
export const eventStream = <E>(
  { signal }: Pick<Request, "signal">,
  events: Stream.Stream<Uint8Array, E>
): Effect.Effect<Response> =>
  Effect.map(
    Stream.toReadableStreamEffect(untilGone(signal, events), {}),
    (body) => new Response(body, { headers: { "Content-Type": "text/event-stream" } })
  )
