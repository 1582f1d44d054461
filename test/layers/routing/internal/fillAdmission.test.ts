import { describe, expect, it } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/TestClock"
import { makeFillAdmission } from "../../../../src/layers/routing/internal/fillAdmission.ts"
import * as EdgeCacheMemory from "../../../../src/layers/tiers/EdgeCacheMemory.ts"
import { defaults } from "../../../../src/services/settings/Settings.ts"
import { define } from "../../../../src/services/store/model/Collection.ts"
import { addressOf } from "../../../../src/services/tiers/ReadPath.ts"
import { virtually } from "../../../support/virtually.ts"

const pages = define("pages", { fills: "admitted" })

const lifeMillis = 3_600_000

const asking =
  (isAdmitted: ReturnType<typeof makeFillAdmission>, collection = pages) =>
  (key: string, loadMillis = 50) =>
    Effect.flatMap(Clock.currentTimeMillis, (now) =>
      isAdmitted(addressOf(collection, key), {
        value: new Uint8Array(1),
        contentType: "text/plain",
        tags: [],
        stamp: { wall: now, counter: 0, writer: "w" },
        expiresAt: now + lifeMillis,
        loadMillis
      })
    )

const story = (name: string, body: () => Effect.Effect<void>) =>
  it(name, () => Effect.runPromise(virtually(Effect.suspend(body))))

describe("a loader's fill", () => {
  story("is stored when it was loaded before within its life, and else not", () =>
    Effect.gen(function* () {
      const ask = asking(makeFillAdmission(undefined, defaults))
      expect([yield* ask("a"), yield* ask("b"), yield* ask("a")]).toStrictEqual([false, false, true])
      yield* TestClock.adjust(lifeMillis)
      expect([yield* ask("b"), yield* ask("b")]).toStrictEqual([false, true])
    })
  )

  story("is known to all isolates of a location that it was loaded, and to none of another", () =>
    Effect.gen(function* () {
      const here = EdgeCacheMemory.make()
      const [first, second] = [asking(makeFillAdmission(here, defaults)), asking(makeFillAdmission(here, defaults))]
      const away = asking(makeFillAdmission(EdgeCacheMemory.make(), defaults))
      expect([yield* first("a"), yield* second("a"), yield* away("a")]).toStrictEqual([false, true, false])
      const off = { ...EdgeCacheMemory.make(), enabled: false }
      expect(yield* asking(makeFillAdmission(off, defaults))("a")).toBe(false)
    })
  )

  story("is stored at once where its milliseconds are worth a write, and where the policy says all", () =>
    Effect.gen(function* () {
      const slow = asking(makeFillAdmission(undefined, { ...defaults, prefetchLatencyUsd: 1e-7 }))
      expect([yield* slow("a", 49), yield* slow("b", 51)]).toStrictEqual([false, true])
      const all = define("pages", { fills: "all" })
      expect(yield* asking(makeFillAdmission(undefined, defaults), all)("a")).toBe(true)
    })
  )
})
