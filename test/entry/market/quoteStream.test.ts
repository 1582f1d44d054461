import { assert, describe, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/TestClock"
import { afterEach, vi } from "vitest"
import { quoteStream } from "../../../src/entry/market/quoteStream.ts"
import type { ReadMany } from "../../../src/programs/repository/readManyThrough.ts"
import type { Quote } from "../../../src/services/market/model/Quote.ts"

const quote = (symbol: string, price: number): Quote => ({
  symbol,
  price,
  currency: "USD",
  at: 1_000_000,
  previousClose: 100,
  open: 100,
  high: 200,
  low: 50,
  volume: 1
})

/** Prices that a test sets, and how often they were read. */
const board = (prices: Record<string, number>) => {
  const state = { prices, failing: [] as ReadonlyArray<string>, reads: 0 }
  const read = Effect.sync((): ReadMany<Quote, string> => {
    state.reads += 1
    return {
      found: new Map(Object.entries(state.prices).map(([symbol, price]) => [symbol, quote(symbol, price)])),
      stale: new Set(),
      failed: new Map(state.failing.map((symbol) => [symbol, "down"]))
    }
  })
  return { state, read }
}

const options = { interval: Duration.seconds(5), life: Duration.minutes(5), lastEventId: undefined }

interface Event {
  readonly id?: string
  readonly event?: string
  readonly data?: { readonly symbol: string; readonly price: number }
}

/** As a browser parses it; comments are kept apart. */
const parse = (text: string) => {
  const blocks = text.split("\n\n").filter((block) => block !== "")
  const comments = blocks.filter((block) => block.startsWith(":"))
  const events = blocks.flatMap((block): ReadonlyArray<Event> => {
    const fields = new Map(block.split("\n").map((line) => [line.split(": ")[0], line.slice(line.indexOf(": ") + 2)]))
    const data = fields.get("data")
    if (data === undefined) return []
    const { event, id } = { event: fields.get("event"), id: fields.get("id") }
    return [{ ...(id && { id }), ...(event && { event }), data: JSON.parse(data) }]
  })
  return { comments, events, retry: /^retry: (\d+)$/m.exec(text)?.[1] }
}

/** A client that has read for some time, in steps between which a test may change the prices. */
const listening = (stream: Stream.Stream<Uint8Array>) =>
  Effect.gen(function* () {
    let text = ""
    const fiber = yield* Effect.fork(
      Stream.runForEach(stream, (chunk) => Effect.sync(() => (text += new TextDecoder().decode(chunk))))
    )
    return {
      fiber,
      after: (time: Duration.DurationInput) => Effect.map(TestClock.adjust(time), () => parse(text))
    }
  })

const told = ({ events }: { readonly events: ReadonlyArray<Event> }) =>
  events.map(({ data }) => [data?.symbol, data?.price])

describe("quoteStream", () => {
  afterEach(() => void vi.restoreAllMocks())

  it.effect("sends everything once, then only what changed", () =>
    Effect.gen(function* () {
      const { read, state } = board({ AAPL: 100, MSFT: 200 })
      const client = yield* listening(quoteStream(read, options))
      const first = yield* client.after(0)
      assert.deepStrictEqual(told(first), [
        ["AAPL", 100],
        ["MSFT", 200]
      ])
      assert.strictEqual(first.retry, "3000")
      yield* client.after("1 minute")
      state.prices = { AAPL: 100, MSFT: 201 }
      yield* client.after("5 seconds")
      state.prices = { AAPL: 99, MSFT: 201 }
      const last = yield* client.after("1 minute")
      assert.deepStrictEqual(told(last).slice(2), [
        ["MSFT", 201],
        ["AAPL", 99]
      ])
      yield* Fiber.interrupt(client.fiber)
    })
  )

  it.effect("says that it lives when nothing changes", () =>
    Effect.gen(function* () {
      const { read } = board({ AAPL: 100 })
      const client = yield* listening(quoteStream(read, options))
      assert.strictEqual((yield* client.after("61 seconds")).comments.length, 12)
      yield* Fiber.interrupt(client.fiber)
    })
  )

  it.effect("ends after its life", () =>
    Effect.gen(function* () {
      const { read, state } = board({ AAPL: 100 })
      const client = yield* listening(quoteStream(read, options))
      yield* client.after("4 minutes")
      assert.strictEqual((yield* Fiber.poll(client.fiber))._tag, "None")
      yield* client.after("61 seconds")
      assert.strictEqual((yield* Fiber.poll(client.fiber))._tag, "Some")
      const { reads } = state
      yield* TestClock.adjust("10 minutes")
      assert.strictEqual(state.reads, reads)
    })
  )

  it.effect("a client that comes back is sent what it missed, and nothing when it missed nothing", () =>
    Effect.gen(function* () {
      const { read, state } = board({ AAPL: 100, MSFT: 200 })
      const all = yield* Effect.flatMap(listening(quoteStream(read, options)), ({ after }) => after(0))
      const lastEventId = all.events.at(-1)?.id
      const back = yield* listening(quoteStream(read, { ...options, lastEventId }))
      assert.deepStrictEqual(told(yield* back.after("1 minute")), [])
      state.prices = { AAPL: 101, MSFT: 200 }
      assert.deepStrictEqual(told(yield* back.after("5 seconds")), [["AAPL", 101]])

      const cutShort = yield* listening(quoteStream(read, { ...options, lastEventId: all.events[0]?.id }))
      assert.deepStrictEqual(told(yield* cutShort.after(0)), [
        ["AAPL", 101],
        ["MSFT", 200]
      ])
    })
  )

  it.effect("what cannot be had is said once, and again when that changes", () =>
    Effect.gen(function* () {
      const { read, state } = board({ AAPL: 100 })
      state.failing = ["MSFT"]
      const client = yield* listening(quoteStream(read, options))
      yield* client.after("1 minute")
      state.failing = []
      const { events } = yield* client.after("1 minute")
      assert.deepStrictEqual(
        events.filter(({ event }) => event === "unavailable").map(({ data }) => data as unknown),
        [{ symbols: ["MSFT"] }, { symbols: [] }]
      )
      yield* Fiber.interrupt(client.fiber)
    })
  )

  it.live("a client that goes away leaves nothing behind: no read, no timer", () =>
    Effect.gen(function* () {
      const { read, state } = board({ AAPL: 100 })
      const set = vi.spyOn(globalThis, "setTimeout")
      const cleared = vi.spyOn(globalThis, "clearTimeout")
      const waiting = () =>
        set.mock.results.filter(
          ({ value }, call) =>
            set.mock.calls[call]![1]! > 50_000 && !cleared.mock.calls.some(([timer]) => timer === value)
        ).length
      const body = Stream.toReadableStream(quoteStream(read, { ...options, interval: Duration.minutes(1) }))
      const reader = body.getReader()
      yield* Effect.promise(() => reader.read())
      yield* Effect.promise(() => reader.read())
      const pending = reader.read()
      yield* Effect.promise(() => new Promise((resolve) => setImmediate(resolve)))
      assert.strictEqual(waiting(), 1)
      yield* Effect.promise(() => reader.cancel())
      yield* Effect.promise(() => pending)
      assert.strictEqual(state.reads, 1)
      assert.strictEqual(waiting(), 0)
    })
  )
})
