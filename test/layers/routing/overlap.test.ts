import type { Miniflare } from "miniflare"
import { afterAll, assert, beforeAll, describe, it } from "vitest"
import { bundle, start } from "../../support/miniflare.ts"

interface Answer {
  readonly value?: string
  readonly tier: string
  readonly error?: string
}

const trials = 20

let script: string
let worker: Miniflare
let base: URL

const ask = async (path: string, origin: URL = base, signal?: AbortSignal): Promise<Answer> => {
  const response = await fetch(new URL(path, origin), { method: "POST", body: "own", ...(signal && { signal }) })
  return response.status === 204 ? { tier: "none" } : ((await response.json()) as Answer)
}

const kvReads = async (origin: URL = base): Promise<number> =>
  ((await ask("/ledger", origin)) as unknown as { total: { kv: { reads: number } } }).total.kv.reads

beforeAll(async () => {
  script = await bundle(new URL("../../support/routing/overlapWorker.ts", import.meta.url))
  worker = start(script, { EDGE: "binding" })
  base = await worker.ready
})

afterAll(() => worker.dispose())

describe("overlapping requests inside workerd", () => {
  it(`${trials} of ${trials} pairs on one cold key both answer, from one KV read`, async () => {
    for (let trial = 0; trial < trials; trial++) {
      const before = await kvReads()
      const [a, b] = await Promise.all([ask(`/get/pair${trial}`), ask(`/get/pair${trial}`)])
      assert.deepStrictEqual([a, b], [{ tier: "kv" }, { tier: "kv" }])
      assert.strictEqual((await kvReads()) - before, 1)
    }
  })

  it(`${trials} of ${trials} pairs share one load`, async () => {
    for (let trial = 0; trial < trials; trial++) {
      const path = `/load/shared${trial}?ms=50`
      const [a, b] = await Promise.all([ask(`${path}&as=a`), ask(`${path}&as=b`)])
      assert.strictEqual(a.value, b.value)
      assert.isTrue(a.value === "a" || a.value === "b")
    }
  })

  it(`${trials} of ${trials} followers answer when the leader's client leaves`, async () => {
    for (let trial = 0; trial < trials; trial++) {
      const leader = new AbortController()
      const aborted = ask(`/get/left${trial}`, base, leader.signal).catch(() => "aborted")
      await new Promise((resolve) => setTimeout(resolve, 40))
      const follower = ask(`/get/left${trial}`)
      leader.abort()
      assert.strictEqual(await aborted, "aborted")
      assert.deepStrictEqual(await follower, { tier: "kv" })
    }
  })

  it(`${trials} of ${trials} followers take over from a leader whose load never ends`, async () => {
    const leaders: Array<Promise<Answer>> = []
    const followers: Array<Promise<Answer>> = []
    for (let trial = 0; trial < trials; trial++) leaders.push(ask(`/load/stuck${trial}?mode=never`))
    await new Promise((resolve) => setTimeout(resolve, 250))
    for (let trial = 0; trial < trials; trial++) followers.push(ask(`/load/stuck${trial}?ms=1&as=mine`))
    for (const follower of await Promise.all(followers)) assert.strictEqual(follower.value, "mine")
    for (const leader of await Promise.all(leaders)) assert.match(leader.error ?? "", /LoadFailed/)
  })

  it("a KV that never answers is given up at its deadline, and the key can be loaded meanwhile", async () => {
    const [read, loaded] = await Promise.all([ask("/get/hang"), ask("/load/hang2?ms=1&as=x")])
    assert.match(read.error ?? "", /Unavailable/)
    assert.strictEqual(loaded.value, "x")
  })
})

describe("a cold isolate", () => {
  it("the first two requests of an isolate's life both answer, from one KV read", async () => {
    for (let trial = 0; trial < 5; trial++) {
      const cold = start(script, { EDGE: "binding" })
      try {
        const origin = await cold.ready
        const answers = await Promise.all([ask("/get/a", origin), ask("/get/a", origin)])
        assert.deepStrictEqual(answers, [{ tier: "kv" }, { tier: "kv" }])
        assert.strictEqual(await kvReads(origin), 1)
      } finally {
        await cold.dispose()
      }
    }
  })

  it("an edge cache that never settles delays nobody for ever", async () => {
    const cold = start(script, { EDGE: "stuck" })
    try {
      const origin = await cold.ready
      const answers = await Promise.all(["a", "a", "b", "c"].map((key) => ask(`/get/${key}`, origin)))
      assert.deepStrictEqual(answers, Array(4).fill({ tier: "kv" }))
    } finally {
      await cold.dispose()
    }
  })
})
