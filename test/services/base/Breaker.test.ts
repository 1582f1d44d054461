import { assert, describe, it } from "@effect/vitest"
import * as fc from "effect/FastCheck"
import { ask, type Breaker, closed, failed, succeeded } from "../../../src/services/base/model/Breaker.ts"

const limits = { threshold: 3, cooldownMillis: 100 }

const following = (outcomes: ReadonlyArray<boolean>): Breaker =>
  outcomes.reduce<Breaker>((breaker, ok) => (ok ? succeeded() : failed(breaker, limits, 0)), closed)

describe("circuit breaker", () => {
  it("opens exactly when the last `threshold` outcomes were failures", () => {
    fc.assert(
      fc.property(fc.array(fc.boolean(), { maxLength: 12 }), (outcomes) => {
        const tail = outcomes.slice(-limits.threshold)
        const ill = tail.length === limits.threshold && tail.every((ok) => !ok)
        assert.strictEqual(following(outcomes).state, ill ? "open" : "closed")
      })
    )
  })

  it("skips until the cooldown has passed, then lets exactly one call try", () => {
    const open = following([false, false, false])
    assert.isFalse(ask(open, limits, 99)[0])
    const [passes, trial] = ask(open, limits, 100)
    assert.isTrue(passes)
    assert.isFalse(ask(trial, limits, 101)[0])
    assert.strictEqual(failed(trial, limits, 101).state, "open")
    assert.isTrue(ask(succeeded(), limits, 102)[0])
  })

  it("gives up on a trial that never reports", () => {
    const [, trial] = ask(following([false, false, false]), limits, 100)
    assert.isFalse(ask(trial, limits, 199)[0])
    assert.isTrue(ask(trial, limits, 200)[0])
  })
})
