import { createExecutionContext, env } from "cloudflare:test"
import { describe, expect, it } from "vitest"
import { makeFacades } from "../../../src/entry/facade/namespace.ts"

const { CACHE_DO_KV: real, CACHE_KV: behind } = env as { CACHE_KV: KVNamespace; CACHE_DO_KV: KVNamespace }

/** The facade of an isolate that has read nothing yet. */
const facade = (): KVNamespace => makeFacades(1_000_000).facadeOf(behind, {}).during(createExecutionContext())

/** A method as the platform takes it: with anything. */
type Loose = { readonly [M in keyof KVNamespace]: (...args: ReadonlyArray<unknown>) => Promise<unknown> }

const failure = async (call: () => Promise<unknown>): Promise<string> => {
  let promise: Promise<unknown>
  try {
    promise = call()
  } catch {
    return "thrown, not rejected"
  }
  try {
    return `no failure: ${JSON.stringify(await promise)}`
  } catch (error) {
    return `${(error as Error).name}: ${(error as Error).message}`
  }
}

const failures = (calls: ReadonlyArray<() => Promise<unknown>>) => Promise.all(calls.map(failure))

/** By what the platform promises: a story that must end alike on the namespace and behind the facade. */
const promises: ReadonlyArray<readonly [string, (kv: Loose, prefix: string) => Promise<unknown>]> = [
  [
    "a bulk read is a Map in which what is missing is null, with metadata too, and what is asked twice stands once",
    async (kv, p) => {
      await kv.put(`${p}a`, "A", { metadata: { m: 1 } })
      const keys = [`${p}a`, `${p}none`, `${p}a`]
      const [plain, full] = [await kv.get(keys), await kv.getWithMetadata(keys)]
      return [
        plain instanceof Map,
        [...(plain as Map<string, unknown>).values()],
        [...(full as Map<string, unknown>).values()]
      ]
    }
  ],
  [
    "a bulk read takes 1 to 100 keys, as text or JSON, with a cacheTtl of 30 at least",
    (kv, p) =>
      failures([
        () => kv.get([]),
        () => kv.get(Array.from({ length: 101 }, (_, at) => `${p}${at}`)),
        () => kv.get([`${p}a`], "stream"),
        () => kv.get([`${p}a`], "arrayBuffer"),
        () => kv.get([`${p}a`], { cacheTtl: 29 }),
        () => kv.get([""])
      ])
  ],
  [
    "one value that is no JSON fails a bulk read as JSON",
    async (kv, p) => {
      await Promise.all([kv.put(`${p}a`, "{}"), kv.put(`${p}b`, "{")])
      return failures([() => kv.get([`${p}a`, `${p}b`], "json")])
    }
  ],
  [
    "a key that is none is refused by its own words, in a promise",
    (kv) =>
      failures(
        ["", ".", "..", "k".repeat(513), "é".repeat(257)].flatMap((key) => [
          () => kv.get(key),
          () => kv.put(key, "x"),
          () => kv.delete(key)
        ])
      )
  ],
  [
    "what is put is coerced as text, or refused",
    async (kv, p) => {
      await kv.put(`${p}null`, null)
      await kv.put(`${p}n`, 1.5)
      const refused = await failures(
        [{}, new Blob(["x"]), new Response("x")].map((value) => () => kv.put(`${p}o`, value))
      )
      return [await kv.get(`${p}null`), await kv.get(`${p}n`), refused]
    }
  ],
  [
    "delete of a list deletes the key that the list is as text",
    async (kv, p) => {
      await kv.put(`${p}a,b`, "x")
      await kv.put("b", "kept")
      await kv.delete([`${p}a`, "b"])
      return [await kv.get(`${p}a,b`), await kv.get("b")]
    }
  ],
  [
    "a ttl is a whole number of seconds from 60 on, and wins over an expiration",
    async (kv, p) => {
      // The clock of a Worker stands still between its calls.
      await kv.get(`${p}part`)
      const now = Math.floor(Date.now() / 1000)
      await kv.put(`${p}part`, "x", { expirationTtl: 60.9 })
      await kv.put(`${p}both`, "x", { expirationTtl: 600, expiration: now + 9000 })
      const { keys } = (await kv.list({ prefix: p })) as KVNamespaceListResult<unknown>
      // Within the second in which it was put.
      const left = keys.map(({ expiration }) => Math.round((expiration! - now) / 20))
      const refused = await failures(
        [59, 0, null, Number.NaN, 2 ** 31].map((expirationTtl) => () => kv.put(`${p}x`, "x", { expirationTtl }))
      )
      return [left, refused]
    }
  ],
  [
    "metadata takes 1,024 bytes, null is none and 0 is kept",
    async (kv, p) => {
      await kv.put(`${p}null`, "x", { metadata: null })
      await kv.put(`${p}0`, "x", { metadata: 0 })
      const { metadata: none } = (await kv.getWithMetadata(`${p}null`)) as { metadata: unknown }
      const { metadata: zero } = (await kv.getWithMetadata(`${p}0`)) as { metadata: unknown }
      return [none, zero, await failures([() => kv.put(`${p}big`, "x", { metadata: "m".repeat(1023) })])]
    }
  ],
  [
    "a list is in the order of UTF-8 and takes a limit up to 1,000, where 0 and less mean the usual one",
    async (kv, p) => {
      for (const name of ["~", "é", "\u{1F600}", "\uFFFD", "a"]) await kv.put(p + name, "x")
      const names = async (limit: number) =>
        ((await kv.list({ prefix: p, limit })) as KVNamespaceListResult<unknown>).keys.map(({ name }) =>
          name.slice(p.length)
        )
      return [
        await names(1000),
        await names(0),
        await names(-1),
        await names(2),
        await failures([() => kv.list({ limit: 1001 })])
      ]
    }
  ],
  [
    "a type that does not exist is null of what is missing, and refused of what is there",
    async (kv, p) => {
      await kv.put(`${p}a`, "x")
      return [await kv.get(`${p}none`, "xml"), await failures([() => kv.get(`${p}a`, "xml")])]
    }
  ],
  ["the namespace itself cannot be cloned", async (kv) => failure(async () => structuredClone(kv))]
]

describe("what KV promises holds behind the facade", () => {
  let run = 0
  it.each(promises)("%s", async (_, story) => {
    const prefix = `semantics-${run++}:`
    const within = (value: unknown): unknown => JSON.parse(JSON.stringify(value ?? null).replaceAll(prefix, ""))
    const expected = within(await story(real as unknown as Loose, prefix))
    const found = within(await story(facade() as unknown as Loose, prefix))
    if (_.includes("cloned"))
      expect([found, expected].map((it) => String(it).split(":")[0])).toEqual(["DataCloneError", "DataCloneError"])
    else expect(found).toEqual(expected)
  })
})

describe("where the facade differs, as docs/getting-started.md says", () => {
  it("a bulk read answers keys like integers, and __proto__, which the platform loses", async () => {
    const keys = ["42", "__proto__", "a"]
    for (const kv of [real, behind]) for (const key of keys) await kv.put(key, "x")
    expect([...(await real.get(keys)).keys()]).toEqual(["a"])
    expect([...(await facade().get(keys))]).toEqual(keys.map((key) => [key, "x"]))
    for (const kv of [real, behind]) for (const key of keys) await kv.delete(key)
  })

  it("a method that is taken off its object works", async () => {
    const { get } = facade()
    expect(await get("semantics-none")).toBe(null)
    const { get: platforms } = real
    expect(() => platforms("semantics-none")).toThrow("Illegal invocation")
  })
})
