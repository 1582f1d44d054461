import { assert, describe, it } from "vitest"
import type { MonitorService } from "../../../src/services/monitoring/Monitor.ts"
import { bucketOf } from "../../../src/services/monitoring/model/LatencySketch.ts"

const request = new Request("https://larder.example/api/v1/quotes?symbols=A")

/** What every Monitor that counts does; `off` counts nothing. */
export const contract = (name: string, make: () => MonitorService): void => {
  describe(`a Monitor: ${name}`, () => {
    it("counts hits, answers with what they took, and problems by kind", () => {
      const monitor = make()
      monitor.hit(request.url)
      monitor.hit(request.url)
      monitor.ended(request, new Response(null, { headers: { "Cache-Status": "Larder; hit; detail=edge" } }), 12)
      monitor.ended(request, new Response(null, { status: 503 }), 0, "unavailable")
      monitor.count("kind", 3)
      assert.deepStrictEqual(
        { ...monitor.figures(0) },
        {
          "requests|GET cache|memory|200": 2,
          "ms|GET cache|memory|0": 2,
          "requests|GET quotes|edge|200": 1,
          [`ms|GET quotes|edge|${bucketOf(12)}`]: 1,
          "requests|GET quotes|-|503": 1,
          "ms|GET quotes|-|0": 1,
          "problems|unavailable|503": 1,
          kind: 3
        }
      )
    })

    it("reads sources for a minute after their end, and never falls", () => {
      const monitor = make()
      let counted = 1
      const end = monitor.watch(() => ({ source: counted }))
      assert.strictEqual(monitor.figures(0).source, 1)
      end()
      counted = 2
      assert.strictEqual(monitor.figures(1000).source, 2)
      counted = 3
      assert.strictEqual(monitor.figures(61_001).source, 3)
      counted = 4
      assert.strictEqual(monitor.figures(200_000).source, 3)
      monitor.watch(() => ({ source: 5 }))
      assert.strictEqual(monitor.figures(200_000).source, 8)
    })
  })
}
