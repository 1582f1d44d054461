import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as fc from "effect/FastCheck"
import * as Layer from "effect/Layer"
import * as TestClock from "effect/TestClock"
import * as LedgerMemory from "../../../src/layers/ledger/LedgerMemory.ts"
import * as FigureBookStorage from "../../../src/layers/monitoring/FigureBookStorage.ts"
import * as MonitorLive from "../../../src/layers/monitoring/MonitorLive.ts"
import * as NotifierMemory from "../../../src/layers/notifications/NotifierMemory.ts"
import { watchThresholds } from "../../../src/programs/monitoring/watchThresholds.ts"
import { FigureBook } from "../../../src/services/monitoring/FigureBook.ts"
import {
  MonitorSettings,
  type MonitorValues,
  monitorSettings
} from "../../../src/services/monitoring/MonitorSettings.ts"
import { Notifier, NotifierError } from "../../../src/services/notifications/Notifier.ts"
import { defaultsOf } from "../../../src/services/settings/model/Setting.ts"
import { runs } from "../../support/runs.ts"
import { virtually } from "../../support/virtually.ts"

const began = Date.UTC(2027, 0, 5)
const target = "https://alerts.example.com/"

/** Requests of one minute, and how many of them failed. */
interface Minute {
  readonly requests: number
  readonly errors: number
}

/**
 * An incident, minute by minute, through what counts in an isolate and what the first object keeps of it, with the cron
 * that comes every five minutes; what the webhook was told.
 */
const replayed = (minutes: ReadonlyArray<Minute>, values: Partial<MonitorValues> = {}, fails = false) =>
  virtually(
    Effect.gen(function* () {
      const rows = new Map<string, unknown>()
      const book = FigureBookStorage.make({
        put: (key, value) => rows.set(key, structuredClone(value)),
        list: <A>({ prefix }: { readonly prefix: string }) =>
          [...rows].filter(([key]) => key.startsWith(prefix)) as Array<[string, A]>
      })
      const monitor = MonitorLive.make({ name: () => "a" })
      const receiver = NotifierMemory.receiver()
      if (fails) receiver.answer = () => new NotifierError({ operation: "deliver", reason: "Unavailable" })
      const clock = yield* Effect.clock
      const now = () => clock.unsafeCurrentTimeMillis()
      const layer = Layer.mergeAll(
        LedgerMemory.layer,
        Layer.succeed(FigureBook, { view: Effect.sync(() => book.view(now())) }),
        Layer.succeed(Notifier, NotifierMemory.make(receiver)),
        Layer.succeed(MonitorSettings, {
          ...(defaultsOf(monitorSettings.settings) as unknown as MonitorValues),
          alertWebhook: target,
          ...values
        })
      )
      yield* TestClock.setTime(began)
      for (const [index, { errors, requests }] of minutes.entries()) {
        for (let second = 0; second < 60; second += 10) {
          yield* TestClock.adjust("10 seconds")
          if (second === 20) {
            for (let i = 0; i < requests; i++) {
              const status = i < errors ? 503 : 200
              monitor.ended(new Request("https://larder.example/api/v1/quotes"), new Response(null, { status }), 5)
            }
            monitor.count("ledger|kv|writes", requests)
          }
          const along = monitor.next(now(), "along")
          if (along !== undefined) monitor.settled({ saved: book.take(along, now()) })
        }
        if ((index + 1) % 5 === 0) yield* Effect.provide(watchThresholds, layer)
      }
      return receiver.attempts.map(({ body, key, target: to }) => {
        expect(to).toBe(target)
        return { key, ...(JSON.parse(body) as { type: string; alert: string; at: string }) }
      })
    })
  )

const quiet = (length: number): ReadonlyArray<Minute> => Array.from({ length }, () => ({ requests: 100, errors: 0 }))
const broken = (length: number): ReadonlyArray<Minute> => Array.from({ length }, () => ({ requests: 100, errors: 40 }))

const kinds = (told: ReadonlyArray<{ readonly type: string; readonly alert: string }>) =>
  told.map(({ alert, type }) => `${alert} ${type.slice(type.lastIndexOf(".") + 1)}`)

describe("a threshold that is passed", () => {
  it.effect("is told once when it is raised and once when it is cleared, whatever the incident's length", () =>
    Effect.gen(function* () {
      for (const length of [7, 30, 200]) {
        const told = yield* replayed([...quiet(12), ...broken(length), ...quiet(40)])
        expect(kinds(told)).toEqual(["error-rate raised", "error-rate cleared"])
        expect(new Set(told.map(({ key }) => key)).size).toBe(2)
      }
    })
  )

  it.effect.prop(
    "alternates: nobody is told twice that it is raised, or cleared",
    [fc.array(fc.record({ requests: fc.constantFrom(0, 30, 100), errors: fc.nat({ max: 30 }) }), { maxLength: 120 })],
    ([minutes]) =>
      Effect.map(replayed([...minutes, ...quiet(20)]), (told) => {
        const mine = kinds(told)
        expect(mine).toEqual(mine.map((_, index) => `error-rate ${index % 2 === 0 ? "raised" : "cleared"}`))
        expect(mine.length % 2).toBe(0)
      }),
    { fastCheck: { numRuns: runs(20) } }
  )

  it.effect("of a day's KV writes counts those of all its hours", () =>
    Effect.gen(function* () {
      const told = yield* replayed(quiet(300), { alertKvWrites: 25_000 })
      expect(kinds(told)).toEqual(["kv-writes raised"])
      // A minute is saved within the one that follows, and counts as that one.
      expect([251, 252].map((minute) => new Date(began + minute * 60_000).toISOString())).toContain(told[0]!.at)
    })
  )

  it.effect("is told of nothing where no webhook is set, and survives one that fails", () =>
    Effect.gen(function* () {
      expect(yield* replayed([...quiet(5), ...broken(10)], { alertWebhook: "none" })).toEqual([])
      expect((yield* replayed([...quiet(5), ...broken(10), ...quiet(10)], {}, true)).length).toBe(2)
    })
  )
})
