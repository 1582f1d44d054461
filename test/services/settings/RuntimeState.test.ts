import { assert, describe, it } from "vitest"
import { changed, settledAt, unchanged, valuesOf } from "../../../src/services/settings/model/RuntimeState.ts"

describe("settings at run time", () => {
  it("end by themselves when they were told to, and the history says so", () => {
    const state = changed(unchanged, { values: { A: "1", B: "2" }, by: "me", until: 1000 }, 0)
    assert.strictEqual(settledAt(state, 999), state)
    const after = settledAt(state, 1000)
    assert.deepStrictEqual(valuesOf(after), { version: 2, values: {} })
    assert.deepInclude(after.history[0], { by: "expiry", from: "1", to: null, at: 1000 })
  })

  it("keep their version where a change changes nothing", () => {
    const state = changed(unchanged, { values: { A: "1" }, by: "me" }, 0)
    assert.strictEqual(changed(state, { values: { A: "1" }, by: "me" }, 5), state)
    assert.strictEqual(changed(unchanged, { values: { A: null }, by: "me" }, 5), unchanged)
  })

  it("remember two hundred changes", () => {
    let state = unchanged
    for (let i = 0; i < 300; i++) state = changed(state, { values: { A: String(i) }, by: "me" }, i)
    assert.strictEqual(state.version, 300)
    assert.strictEqual(state.history.length, 200)
    assert.strictEqual(state.history[0]!.to, "299")
  })
})
