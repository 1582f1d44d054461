import { createExecutionContext, env, waitOnExecutionContext } from "cloudflare:test"
import * as FastCheck from "effect/FastCheck"
import { describe, expect, it } from "vitest"
import { kvNamespace, larderStats } from "../../../src/entry/facade/namespace.ts"
import { coercedKeys, kvCalls, outcomeOf } from "../../support/facade/kvCalls.ts"
import { runs } from "../../support/runs.ts"

const { CACHE_DO_KV: real, CACHE_KV: behind } = env as { CACHE_KV: KVNamespace; CACHE_DO_KV: KVNamespace }

const inEvent = async <A>(body: (kv: KVNamespace) => Promise<A>): Promise<A> => {
  const context = createExecutionContext()
  const result = await body(kvNamespace(behind, context))
  await waitOnExecutionContext(context)
  return result
}

describe("a namespace behind its facade", () => {
  it("answers every call as the namespace itself does", async () => {
    for (const key of coercedKeys) await Promise.all([real.delete(key), behind.delete(key)])
    let run = 0
    const plans = FastCheck.array(kvCalls("@:"), { minLength: 1, maxLength: 30 })
    await FastCheck.assert(
      FastCheck.asyncProperty(plans, async (plan) => {
        // Lets the test runner hear of this isolate while a long run goes on.
        await new Promise((resolve) => setTimeout(resolve, 0))
        const prefix = `run-${run++}:`
        for (const call of plan) {
          const moved = { ...call, args: call.args.map((arg) => within(prefix, arg)) }
          const expected = await outcomeOf(real, moved)
          expect(await inEvent((kv) => outcomeOf(kv, moved)), FastCheck.stringify(moved)).toEqual(expected)
        }
      }),
      { numRuns: runs(150) }
    )
  }, 3_600_000)

  it("asks KV once for all who read a key at once, and no more while the answer is fresh", async () => {
    await behind.put("once", "x")
    const before = larderStats(behind)
    await inEvent((kv) => Promise.all(Array.from({ length: 100 }, () => kv.get("once"))))
    await inEvent((kv) => Promise.all(Array.from({ length: 100 }, () => kv.get("once"))))
    const after = larderStats(behind)
    expect(after.billed.reads - before.billed.reads).toBe(1)
    expect(after.asked.reads - before.asked.reads).toBe(200)
    expect(after.usd.saved).toBeGreaterThan(before.usd.saved)
  })
})

/** The same argument on the keys of one run. */
const within = (prefix: string, arg: unknown): unknown => {
  if (typeof arg === "string") return arg.startsWith("@:") ? prefix + arg.slice(2) : arg
  if (Array.isArray(arg)) return arg.map((item) => within(prefix, item))
  if (typeof arg === "object" && arg !== null && "prefix" in arg) return { ...arg, prefix: within(prefix, arg.prefix) }
  return arg
}
