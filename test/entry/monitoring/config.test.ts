import { assert, describe, it } from "vitest"
import { deployments } from "../../support/deployments.ts"

interface Shown {
  readonly name: string
  readonly value: string
  readonly origin: string
  readonly until?: string
}

describe("settings at run time, on workerd", () => {
  const worker = deployments()
  const body = async (response: Promise<Response>) => (await response).json()
  const setting = async (name: string): Promise<Shown> => {
    const { settings } = (await body(worker.ask("GET", "config"))) as { settings: ReadonlyArray<Shown> }
    return settings.find((one) => one.name === name)!
  }
  const change = (settings: object, more: object = {}) =>
    worker.ask("PATCH", "config", JSON.stringify({ settings, ...more }), "application/json")
  const longest = async (): Promise<number> =>
    ((await body(worker.ask("GET", "cache/metadata"))) as { limits: { batchKeys: number } }).limits.batchKeys

  const story = (variables: Record<string, string>) => async () => {
    await worker.deploy({ MAX_BATCH_KEYS: "500", ...variables })
    assert.deepInclude(await setting("MAX_BATCH_KEYS"), { value: "500", origin: "deployed" })
    assert.deepInclude(await setting("BATCHER"), { value: "true", origin: "default" })

    const refused = await change({ MAX_BATCH_KEYS: 2000, NO_SUCH: 1, SHARDS: 2 })
    assert.strictEqual(refused.status, 422)
    const { errors } = (await refused.json()) as { errors: ReadonlyArray<{ pointer: string }> }
    assert.deepStrictEqual(
      errors.map(({ pointer }) => pointer),
      ["#/settings/MAX_BATCH_KEYS", "#/settings/NO_SUCH", "#/settings/SHARDS"]
    )

    await worker.put("kept", "1")
    assert.strictEqual((await change({ MAX_BATCH_KEYS: 10 }, { reason: "too large" })).status, 200)
    assert.strictEqual(await longest(), 10)
    assert.deepInclude(await setting("MAX_BATCH_KEYS"), { value: "10", origin: "runtime" })
    assert.strictEqual(await (await worker.ask("GET", "cache/default/kept")).text(), "1")

    // Another isolate goes by it after its first call to the shard, or to KV.
    await worker.deploy({ MAX_BATCH_KEYS: "500", ...variables })
    await worker.ask("GET", "cache/default/kept")
    for (let tries = 0; tries < 50 && (await longest()) !== 10; tries++) {
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
    assert.strictEqual(await longest(), 10)

    assert.strictEqual((await worker.ask("DELETE", "config/MAX_BATCH_KEYS")).status, 204)
    assert.strictEqual(await longest(), 500)
    const { changes } = (await body(worker.ask("GET", "config/history"))) as {
      changes: ReadonlyArray<Record<string, unknown>>
    }
    assert.deepInclude(changes[0], { name: "MAX_BATCH_KEYS", from: "10", to: null })
    assert.deepInclude(changes[1], { name: "MAX_BATCH_KEYS", from: null, to: "10", reason: "too large" })
    assert.match(String(changes[1]!.by), /^key:[0-9a-f]{8}$/)
    assert.strictEqual((await worker.ask("DELETE", "config/NO_SUCH")).status, 404)
  }

  it("are validated, effective, remembered and reset where objects keep them", story({}))

  it("and in KV mode", story({ FEATURE_FLAG_DO_CACHE: "off" }))

  it("name who changed them, where the key has a name", async () => {
    await worker.deploy({ API_KEYS: "test=read+admin+as:alice" })
    assert.strictEqual((await change({ CLEAR_KEYS: 800 })).status, 200)
    const { changes } = (await body(worker.ask("GET", "config/history"))) as { changes: ReadonlyArray<{ by: string }> }
    assert.strictEqual(changes[0]!.by, "alice")
  })
})
