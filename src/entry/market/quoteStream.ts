import * as Chunk from "effect/Chunk"
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import type { ReadMany } from "../../programs/repository/readManyThrough.ts"
import { hashOf } from "../../services/base/model/Hash.ts"
import type { Quote } from "../../services/market/model/Quote.ts"
import { quoteJson } from "./quoteJson.ts"

export interface QuoteStreamOptions {
  readonly interval: Duration.Duration
  /** After this it ends. */
  readonly life: Duration.Duration
  /** Of the last event that the client has seen, when it comes back. */
  readonly lastEventId: string | undefined
}

/** Said when there is nothing to say: workerd notices that a client is gone only when it writes to it. */
const heartbeat = ":\n\n"

/** Milliseconds after which a client comes back. */
const retry = 3_000

interface Progress {
  /** Each quote that was sent, as it was sent. */
  readonly sent: ReadonlyMap<string, string>
  readonly unavailable: string
  readonly endsAt: number
  readonly lastEventId: string | undefined
}

/**
 * Quotes as server-sent events (WHATWG HTML, 9.2): first all of them, then each that changed. An event's id stands for
 * all that was sent up to it, so that a client who comes back and has missed nothing is sent nothing again. What cannot
 * be had is one event `unavailable`, when that changes. Pulled by the client, so a slow one slows down only itself; it
 * ends when the client goes, or after its life.
 */
export const quoteStream = <E>(
  read: Effect.Effect<ReadMany<Quote, E>>,
  options: QuoteStreamOptions
): Stream.Stream<Uint8Array> => {
  const step = (progress: Progress | undefined): Effect.Effect<readonly [string, Option.Option<Progress>]> =>
    Effect.gen(function* () {
      if (progress !== undefined) yield* Effect.sleep(options.interval)
      const { failed, found, stale } = yield* read
      const now = yield* Clock.currentTimeMillis
      const before = progress ?? begun(now, options)
      const present = new Map([...found].map(([symbol, quote]) => [symbol, dataOf(quote, stale.has(symbol))] as const))
      const known = before.lastEventId === idOf(present) ? present : before.sent
      const sent = new Map(known)
      let text = ""
      for (const [symbol, data] of present) {
        if (known.get(symbol) === data) continue
        sent.set(symbol, data)
        text += `id: ${idOf(sent)}\nevent: quote\ndata: ${data}\n\n`
      }
      const unavailable = [...failed.keys()].sort().join(",")
      if (unavailable !== before.unavailable) {
        text += `event: unavailable\ndata: ${JSON.stringify({ symbols: [...failed.keys()].sort() })}\n\n`
      }
      const { endsAt } = before
      const next = { sent, unavailable, endsAt, lastEventId: undefined }
      return [text === "" ? heartbeat : text, now < endsAt ? Option.some(next) : Option.none()] as const
    })

  return Stream.make(`retry: ${retry}\n\n`).pipe(
    Stream.concat(
      Stream.paginateChunkEffect(undefined as Progress | undefined, (progress) =>
        Effect.map(step(progress), ([text, next]) => [Chunk.of(text), next] as const)
      )
    ),
    Stream.encodeText
  )
}

const begun = (now: number, { lastEventId, life }: QuoteStreamOptions): Progress => ({
  sent: new Map(),
  unavailable: "",
  endsAt: now + Duration.toMillis(life),
  lastEventId
})

const dataOf = (quote: Quote, stale: boolean): string => JSON.stringify(quoteJson(quote, stale))

/** The same for the same quotes, in whatever order they were sent. */
const idOf = (sent: ReadonlyMap<string, string>): string => {
  let id = sent.size
  for (const data of sent.values()) id ^= hashOf(data)
  return (id >>> 0).toString(16).padStart(8, "0")
}
