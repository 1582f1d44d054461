import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as TestClock from "effect/TestClock"
import * as AlertRulesStore from "../../../src/layers/alerts/AlertRulesStore.ts"
import type { AlertRule } from "../../../src/services/alerts/model/AlertRule.ts"
import type { Repository } from "../../../src/services/repository/Repository.ts"

/** Rules, and how often they were listed or read. */
const repositoryOf = (rules: Map<string, unknown>) => {
  const calls = { lists: 0, reads: 0 }
  const repository = {
    list: () =>
      Effect.sync(() => {
        calls.lists++
        return { keys: [...rules.keys()], cursor: undefined }
      }),
    getMany: () =>
      Effect.sync(() => {
        calls.reads++
        return [...rules.values()].map(Option.some)
      }),
    set: (_: unknown, id: string, rule: unknown) => Effect.sync(() => rules.set(id, rule)),
    delete: (_: unknown, id: string) => Effect.sync(() => rules.delete(id))
  } as unknown as Repository["Type"]
  return { calls, repository }
}

/** Nothing but its id is looked at here. */
const ruleOf = (index: number): AlertRule => ({ id: `rule-${index}` }) as AlertRule

describe("alert rules", () => {
  it.effect("are not read to create one more, however many there are", () =>
    Effect.gen(function* () {
      const { calls, repository } = repositoryOf(new Map())
      const rules = AlertRulesStore.make(repository)
      for (let index = 0; index < 500; index++) {
        assert.isFalse(yield* rules.isFull(500))
        yield* rules.create(ruleOf(index))
      }
      assert.deepStrictEqual(calls, { lists: 1, reads: 0 })
      assert.isTrue(yield* rules.isFull(500))
    })
  )

  it.effect("of other isolates count within a minute, and before one is refused", () =>
    Effect.gen(function* () {
      const kept = new Map<string, unknown>()
      const { repository } = repositoryOf(kept)
      const [one, other] = [AlertRulesStore.make(repository), AlertRulesStore.make(repository)]
      assert.isFalse(yield* one.isFull(1))
      const rule = ruleOf(0)
      yield* other.create(rule)
      yield* TestClock.adjust("61 seconds")
      assert.isTrue(yield* one.isFull(1))
      yield* other.remove(rule.id)
      assert.isFalse(yield* one.isFull(1))
    })
  )
})
