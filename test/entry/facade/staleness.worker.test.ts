import { env } from "cloudflare:test"
import * as FastCheck from "effect/FastCheck"
import { afterEach, describe, expect, it, vi } from "vitest"
import { makeFacades } from "../../../src/entry/facade/namespace.ts"
import { runs } from "../../support/runs.ts"

const { CACHE_KV: namespace } = env as { CACHE_KV: KVNamespace }

/** An isolate of its own, and what its event waits for. */
const isolate = () => {
  const pending: Array<Promise<unknown>> = []
  const facade = makeFacades(1_000_000).facadeOf(namespace, {})
  const kv = facade.during({ waitUntil: (promise) => void pending.push(promise) })
  return { kv, facade, settled: () => Promise.allSettled(pending) }
}

interface Write {
  readonly who: 0 | 1 | "foreign"
  readonly act: "put" | "delete"
}

interface Read {
  readonly who: 0 | 1
  readonly act: "get" | "list"
  readonly cacheTtl?: number
}

type Step = Write | Read | { readonly act: "wait"; readonly seconds: number }

const isWrite = (step: Step): step is Write => step.act === "put" || step.act === "delete"

const who = FastCheck.constantFrom(0 as const, 1 as const)

const step: FastCheck.Arbitrary<Step> = FastCheck.oneof(
  FastCheck.record({
    who: FastCheck.constantFrom(0 as const, 1 as const, "foreign" as const),
    act: FastCheck.constantFrom("put" as const, "delete" as const)
  }),
  FastCheck.record({ who, act: FastCheck.constant("get" as const), cacheTtl: FastCheck.constantFrom(30, 60, 120) }),
  FastCheck.record({ who, act: FastCheck.constant("list" as const) }),
  FastCheck.record({ act: FastCheck.constant("wait" as const), seconds: FastCheck.constantFrom(1, 10, 29, 31, 60, 90) })
)

describe("what an isolate reads while others write", () => {
  afterEach(() => {
    vi.useRealTimers()
  })

  it("is at most cacheTtl old, and never older than its own writes", async () => {
    let run = 0
    await FastCheck.assert(
      FastCheck.asyncProperty(FastCheck.array(step, { minLength: 2, maxLength: 40 }), async (steps) => {
        vi.useFakeTimers({ toFake: ["Date"], now: 1_800_000_000_000 })
        const key = `stale-${run++}`
        const isolates = [isolate(), isolate()] as const
        /** What KV held, and since when. */
        const history: Array<{ readonly value: string | null; readonly since: number }> = [{ value: null, since: 0 }]
        /** Where in the history each isolate's last own write is. */
        const own: [number, number] = [0, 0]
        for (const [index, one] of steps.entries()) {
          const now = Date.now()
          if (one.act === "wait") {
            vi.setSystemTime(now + one.seconds * 1000)
            continue
          }
          if (isWrite(one)) {
            const value = one.act === "put" ? `v${index}` : null
            const kv = one.who === "foreign" ? namespace : isolates[one.who].kv
            await (value === null ? kv.delete(key) : kv.put(key, value))
            history.push({ value, since: now })
            if (one.who !== "foreign") own[one.who] = history.length - 1
            continue
          }
          const { kv } = isolates[one.who]
          const ttl = one.act === "get" ? (one.cacheTtl ?? 60) : 60
          const read =
            one.act === "get" ? await kv.get(key, { cacheTtl: ttl }) : (await kv.list({ prefix: key })).keys.length
          // What held at some moment that is young enough: the last one before it, and all since; no older than its own.
          const before = history.findLastIndex(({ since }) => since < now - ttl * 1000)
          const allowed = history
            .slice(Math.max(before, own[one.who], 0))
            .map(({ value }) => (one.act === "get" ? value : Number(value !== null)))
          expect(allowed, FastCheck.stringify(one)).toContain(read)
        }
        await Promise.all(isolates.map(({ settled }) => settled()))
      }),
      { numRuns: runs(60) }
    )
  })
})
