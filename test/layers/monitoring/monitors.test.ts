import { assert, describe, it } from "vitest"
import * as MonitorLive from "../../../src/layers/monitoring/MonitorLive.ts"
import * as MonitorMemory from "../../../src/layers/monitoring/MonitorMemory.ts"
import { off } from "../../../src/services/monitoring/Monitor.ts"
import { contract } from "../../contracts/monitoring/Monitor.ts"

contract("MonitorMemory", MonitorMemory.make)
contract("MonitorLive", () => MonitorLive.make({ name: () => "a" }))

describe("who is told by monitors", () => {
  it("is the first object for MonitorLive, and nobody for the others", () => {
    for (const [monitor, tells] of [
      [MonitorLive.make({ name: () => "a" }), true],
      [MonitorMemory.make(), false],
      [off, false]
    ] as const) {
      monitor.hit("https://larder.example/")
      assert.strictEqual(monitor.next(0, "asked") !== undefined, tells)
    }
    assert.deepStrictEqual(off.figures(0), {})
  })
})
