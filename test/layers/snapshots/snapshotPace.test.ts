import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/TestClock"
import * as BudgetAccountMemory from "../../../src/layers/budget/BudgetAccountMemory.ts"
import * as BudgetDaily from "../../../src/layers/budget/BudgetDaily.ts"
import { makeSnapshotPace } from "../../../src/layers/snapshots/snapshotPace.ts"
import { everyMillis, makeObject } from "../../support/durable/alarmObject.ts"

const midnight = Date.UTC(2026, 10, 21)

/** An object that writes its snapshots from this allowance; every one is spent as it is written. */
const limited = (writes: number) => {
  const budget = BudgetDaily.make({ writes }, BudgetAccountMemory.make())
  const kept = new Map<string, number>()
  const pace = makeSnapshotPace(budget, {
    get: <A>(key: string) => kept.get(key) as A | undefined,
    put: (key, at) => kept.set(key, at)
  })
  const written: Array<number> = []
  const object = makeObject(1000, {
    pace: {
      ...pace,
      flush: (flush) =>
        pace.flush(
          Effect.tap(flush, () =>
            Effect.map(TestClock.currentTimeMillis, (now) => {
              written.push(now)
              budget.record("writes", 1, now)
            })
          )
        )
    }
  })
  const aDay = Effect.gen(function* () {
    for (let minute = 0; minute < 24 * 60; minute += 10) {
      object.put("a", yield* TestClock.currentTimeMillis)
      yield* object.pass(600_000)
    }
  })
  return { ...object, aDay, budget, written }
}

describe("the pace of snapshots", () => {
  it.effect("is the alarm's own while the budget lasts", () =>
    Effect.gen(function* () {
      yield* TestClock.setTime(midnight)
      const { aDay, begin, written } = limited(1000)
      yield* begin
      yield* aDay
      assert.strictEqual(written.length, 24)
    })
  )

  it.effect("makes ten writes do for a day, the last of them in the evening, and ten more the next day", () =>
    Effect.gen(function* () {
      yield* TestClock.setTime(midnight)
      const { aDay, begin, written } = limited(20)
      yield* begin
      yield* aDay
      yield* aDay
      for (const from of [midnight, midnight + 24 * everyMillis]) {
        const hours = written.map((at) => (at - from) / everyMillis).filter((hour) => hour >= 0 && hour < 24)
        assert.isAtMost(hours.length, 10)
        assert.isAtLeast(hours.length, 8)
        assert.isAbove(hours.at(-1)!, 15)
      }
    })
  )

  it.effect("writes nothing from the reserve, and at 00:00 UTC what is due", () =>
    Effect.gen(function* () {
      yield* TestClock.setTime(midnight)
      const { aDay, begin, budget, written } = limited(48)
      yield* begin
      budget.record("writes", 24, midnight)
      yield* aDay
      assert.deepStrictEqual(written, [midnight + 24 * everyMillis])
    })
  )
})
