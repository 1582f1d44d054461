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
  readonly act: "put" | "delete"
  readonly who: 0 | 1 | "foreign"
  readonly key: number
  readonly value: string
  readonly metadata: unknown
}

interface Read {
  readonly act: "get" | "getWithMetadata" | "bulk" | "bulkWithMetadata" | "list"
  readonly who: 0 | 1
  readonly key: number
  readonly type: "text" | "json" | "arrayBuffer" | "stream"
  readonly cacheTtl: number | undefined
}

type Step = Write | Read | { readonly act: "wait"; readonly seconds: number }

const isWrite = (step: Step): step is Write => step.act === "put" || step.act === "delete"

const keys = 3
const key = FastCheck.nat({ max: keys - 1 })

const step: FastCheck.Arbitrary<Step> = FastCheck.oneof(
  {
    weight: 3,
    arbitrary: FastCheck.record({
      act: FastCheck.constantFrom("put" as const, "put" as const, "delete" as const),
      who: FastCheck.constantFrom(0 as const, 1 as const, "foreign" as const),
      key,
      value: FastCheck.constantFrom("1", "2", '{"a":1}', "é", "\uFEFF3"),
      metadata: FastCheck.constantFrom<unknown>(undefined, undefined, 0, { by: "x" })
    })
  },
  {
    weight: 5,
    arbitrary: FastCheck.record({
      act: FastCheck.constantFrom<Read["act"]>("get", "get", "getWithMetadata", "bulk", "bulkWithMetadata", "list"),
      who: FastCheck.constantFrom(0 as const, 1 as const),
      key,
      type: FastCheck.constantFrom<Read["type"]>("text", "text", "json", "arrayBuffer", "stream"),
      cacheTtl: FastCheck.constantFrom(undefined, 30, 60, 120)
    })
  },
  {
    weight: 2,
    arbitrary: FastCheck.record({
      act: FastCheck.constant("wait" as const),
      seconds: FastCheck.constantFrom(1, 10, 29, 31, 60, 90)
    })
  }
)

/** What KV held under a key, and since when: null for nothing. */
interface Held {
  readonly value: string | null
  readonly metadata: unknown
  readonly since: number
}

const absent: Held = { value: null, metadata: null, since: 0 }

const bytes = (text: string): ReadonlyArray<number> => [...new TextEncoder().encode(text)]

/** A value as a single read of this type gives it, in a form that can be compared. */
const asType = (type: Read["type"], value: string | null): unknown => {
  if (value === null || type === "text") return value
  if (type !== "json") return bytes(value)
  try {
    return JSON.parse(value)
  } catch {
    return "no JSON"
  }
}

const comparable = async (value: unknown): Promise<unknown> =>
  value instanceof ArrayBuffer
    ? [...new Uint8Array(value)]
    : value instanceof ReadableStream
      ? [...new Uint8Array(await new Response(value).arrayBuffer())]
      : value

/**
 * Bulk reads of KV lose a byte order mark: what one brought has none afterwards in single reads either, as long as memory
 * answers them. A difference that is named.
 */
const unmarked = (text: string | null): string | null => (text === null ? null : text.replace(/^\uFEFF/, ""))

const withoutThrowing = async (read: () => Promise<unknown>): Promise<unknown> => {
  try {
    return await read()
  } catch (error) {
    return error instanceof SyntaxError ? "no JSON" : error
  }
}

describe("what an isolate reads while another and a foreign writer write", () => {
  afterEach(() => {
    vi.useRealTimers()
  })

  it("is what KV held at most cacheTtl ago, in every form of a read, and never older than its own writes", async () => {
    let run = 0
    let operations = 0
    // With TEST_SOAK=10, 600 runs of up to 500 steps: at least 100,000 operations.
    const longest = Math.max(40, runs(50))
    const plans = FastCheck.array(step, { minLength: 2, maxLength: longest })
    await FastCheck.assert(
      FastCheck.asyncProperty(plans, async (steps) => {
        // Lets the test runner hear of this isolate while a long run goes on.
        await new Promise((resolve) => setTimeout(resolve, 0))
        vi.useFakeTimers({ toFake: ["Date"], now: 1_800_000_000_000 })
        const prefix = `stale-${run++}:`
        const isolates = [isolate(), isolate()] as const
        const histories = Array.from({ length: keys }, (): Array<Held> => [absent])
        /** Where in the history of each key an isolate's last own write is. */
        const own = isolates.map(() => Array.from({ length: keys }, () => 0))

        /** What a read of a key may see now: the last that held when the bound began, and all since; nothing older than its own. */
        const allowed = (who: 0 | 1, at: number, cacheTtl: number): ReadonlyArray<Held> => {
          const history = histories[at]!
          const before = history.findLastIndex(({ since }) => since < Date.now() - cacheTtl * 1000)
          return history.slice(Math.max(before, own[who]![at]!, 0))
        }

        for (const one of steps) {
          operations++
          if (one.act === "wait") {
            vi.setSystemTime(Date.now() + one.seconds * 1000)
            continue
          }
          const name = prefix + one.key
          if (isWrite(one)) {
            const kv = one.who === "foreign" ? namespace : isolates[one.who].kv
            const { metadata, value } = one
            await (one.act === "delete"
              ? kv.delete(name)
              : kv.put(name, value, metadata === undefined ? {} : { metadata }))
            const since = Date.now()
            histories[one.key]!.push(
              one.act === "delete" ? { ...absent, since } : { value, metadata: metadata ?? null, since }
            )
            if (one.who !== "foreign") own[one.who]![one.key] = histories[one.key]!.length - 1
            continue
          }
          const { kv } = isolates[one.who]
          const { act, cacheTtl, type, who } = one
          const options = { type, ...(cacheTtl === undefined ? {} : { cacheTtl }) } as { type: "text" }
          const seen = (at: number) =>
            allowed(who, at, cacheTtl ?? 60).flatMap((held) => [held, { ...held, value: unmarked(held.value) }])
          switch (act) {
            case "get": {
              const read = await withoutThrowing(async () => comparable(await kv.get(name, options)))
              expect(seen(one.key).map(({ value }) => asType(type, value))).toContainEqual(read)
              break
            }
            case "getWithMetadata": {
              const read = await withoutThrowing(async () => {
                const { metadata, value } = await kv.getWithMetadata(name, options)
                return { value: await comparable(value), metadata }
              })
              const may = seen(one.key).map(({ metadata, value }) => {
                const shown = asType(type, value)
                return shown === "no JSON" ? shown : { value: shown, metadata }
              })
              expect(may).toContainEqual(read)
              break
            }
            case "bulk":
            case "bulkWithMetadata": {
              const names = Array.from({ length: keys }, (_, at) => prefix + at)
              const bulk = cacheTtl === undefined ? {} : { cacheTtl }
              const read =
                act === "bulk"
                  ? new Map([...(await kv.get(names, bulk))].map(([at, value]) => [at, { value }] as const))
                  : await kv.getWithMetadata(names, bulk)
              for (const [at, called] of names.entries()) {
                const may = seen(at).map(({ metadata, value }) =>
                  value === null || act === "bulk" ? { value: unmarked(value) } : { value: unmarked(value), metadata }
                )
                const { value = null, ...rest } = read.get(called) ?? {}
                expect(may).toContainEqual({ ...rest, value: unmarked(value) })
              }
              break
            }
            case "list": {
              const listed = new Map(
                (await kv.list({ prefix })).keys.map(({ metadata, name: found }) => [found, metadata ?? null] as const)
              )
              for (let at = 0; at < keys; at++) {
                const may = allowed(who, at, 60).map(({ metadata, value }) => (value === null ? "absent" : metadata))
                expect(may).toContainEqual(listed.has(prefix + at) ? listed.get(prefix + at) : "absent")
              }
            }
          }
        }
        await Promise.all(isolates.map(({ settled }) => settled()))
        for (const [at, history] of histories.entries()) {
          const { metadata, value } = history.at(-1)!
          expect(await namespace.getWithMetadata(prefix + at)).toMatchObject({ value, metadata })
        }
      }),
      { numRuns: runs(60) }
    )
    expect(operations).toBeGreaterThanOrEqual((runs(60) * longest) / 3)
  }, 3_600_000)
})
