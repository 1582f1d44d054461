import type { Miniflare } from "miniflare"
import { afterAll, assert, beforeAll, describe, it } from "vitest"
import { bundle, start } from "../../support/miniflare.ts"

interface Answer {
  readonly value?: string
  readonly tier: string
  readonly error?: string
}

const trials = 20

/** A busy machine keeps to neither of these, and need not. */
const patient = { EDGE: "binding", PATIENCE: "600000", DEADLINE: "600000" }
const hasty = { EDGE: "binding", PATIENCE: "500", DEADLINE: "3000" }

let script: string
const running: Array<Miniflare> = []

const open = async (bindings: Record<string, string>): Promise<URL> => {
  const worker = start(script, bindings)
  running.push(worker)
  return worker.ready
}

const ask = async (path: string, origin: URL, signal?: AbortSignal): Promise<Answer> => {
  const response = await fetch(new URL(path, origin), {
    method: "POST",
    body: "own",
    // A connection that is kept may be closed just when it is used again.
    headers: { Connection: "close" },
    ...(signal && { signal })
  })
  return (await response.json()) as Answer
}

const kvReads = async (origin: URL): Promise<number> =>
  ((await ask("/ledger", origin)) as unknown as { total: { kv: { reads: number } } }).total.kv.reads

/** Until a request for the key has begun. */
const begun = async (key: string, origin: URL): Promise<void> => {
  while (((await ask(`/arrived/${key}`, origin)) as unknown as number) === 0);
}

beforeAll(async () => {
  script = await bundle(new URL("../../support/routing/overlapWorker.ts", import.meta.url))
})

afterAll(() => Promise.all(running.map((worker) => worker.dispose())))

describe("overlapping requests inside workerd", () => {
  let patience: URL
  let haste: URL

  beforeAll(async () => {
    patience = await open(patient)
    haste = await open(hasty)
  })

  it(`${trials} of ${trials} pairs on one cold key both answer, from one KV read`, async () => {
    for (let trial = 0; trial < trials; trial++) {
      const before = await kvReads(patience)
      const [a, b] = await Promise.all([ask(`/get/pair${trial}-2`, patience), ask(`/get/pair${trial}-2`, patience)])
      assert.deepStrictEqual([a, b], [{ tier: "kv" }, { tier: "kv" }])
      assert.strictEqual((await kvReads(patience)) - before, 1)
    }
  })

  it(`${trials} of ${trials} pairs share one load`, async () => {
    for (let trial = 0; trial < trials; trial++) {
      const path = `/load/shared${trial}-2`
      const [a, b] = await Promise.all([ask(`${path}?as=a`, patience), ask(`${path}?as=b`, patience)])
      assert.strictEqual(a.value, b.value)
      assert.isTrue(a.value === "a" || a.value === "b")
    }
  })

  it(`${trials} of ${trials} followers answer when the leader's client leaves`, async () => {
    for (let trial = 0; trial < trials; trial++) {
      const leader = new AbortController()
      const aborted = ask(`/get/left${trial}-2`, haste, leader.signal).catch(() => "aborted")
      await begun(`left${trial}-2`, haste)
      const follower = ask(`/get/left${trial}-2`, haste)
      leader.abort()
      assert.strictEqual(await aborted, "aborted")
      assert.deepStrictEqual(await follower, { tier: "kv" })
    }
  })

  it(`${trials} of ${trials} followers take over from a leader whose load never ends`, async () => {
    const leaders: Array<Promise<Answer>> = []
    const followers: Array<Promise<Answer>> = []
    for (let trial = 0; trial < trials; trial++) leaders.push(ask(`/load/stuck${trial}?mode=never`, haste))
    for (let trial = 0; trial < trials; trial++) await begun(`stuck${trial}`, haste)
    for (let trial = 0; trial < trials; trial++) followers.push(ask(`/load/stuck${trial}?as=mine`, haste))
    for (const follower of await Promise.all(followers)) assert.strictEqual(follower.value, "mine")
    for (const leader of await Promise.all(leaders)) assert.match(leader.error ?? "", /LoadFailed/)
  })

  it("a KV that never answers is given up at its deadline, and the key can be loaded meanwhile", async () => {
    const [read, loaded] = await Promise.all([ask("/get/hang", haste), ask("/load/hang2?as=x", haste)])
    assert.match(read.error ?? "", /Unavailable/)
    assert.strictEqual(loaded.value, "x")
  })
})

describe("a cold isolate", () => {
  it("the first two requests of an isolate's life both answer, from one KV read", async () => {
    for (let trial = 0; trial < 5; trial++) {
      const origin = await open(patient)
      const answers = await Promise.all([ask("/get/a-2", origin), ask("/get/a-2", origin)])
      assert.deepStrictEqual(answers, [{ tier: "kv" }, { tier: "kv" }])
      assert.strictEqual(await kvReads(origin), 1)
      await running.pop()!.dispose()
    }
  })

  it("an edge cache that never settles delays nobody for ever", async () => {
    const origin = await open({ ...patient, EDGE: "stuck" })
    const answers = await Promise.all(["a-2", "a-2", "b", "c"].map((key) => ask(`/get/${key}`, origin)))
    assert.deepStrictEqual(answers, Array(4).fill({ tier: "kv" }))
  })
})
