import { createExecutionContext, env, runDurableObjectAlarm, waitOnExecutionContext } from "cloudflare:test"
import * as Effect from "effect/Effect"
import { describe, expect, it } from "vitest"
import type { Env } from "../../../src/entry/app.ts"
import * as KvBinding from "../../../src/layers/kv/KvBinding.ts"
import * as SnapshotsKv from "../../../src/layers/snapshots/SnapshotsKv.ts"
import { renewedObject } from "../../support/durable/renewedObject.ts"
import * as Isolates from "../../support/isolates.ts"
import { loaded } from "../../support/snapshots/wholeImages.ts"

renewedObject()

const bindings = env as unknown as Required<Env>

/** A Worker in durable mode, an isolate of its own. */
const durable: Env = { ...bindings, FEATURE_FLAG_DO_CACHE: "on" }

const send = async (method: string, path: string, body?: string): Promise<Response> => {
  const context = createExecutionContext()
  const headers = { "X-API-KEY": "test" }
  const init = body === undefined ? { method, headers } : { method, headers, body }
  const response = await Isolates.serve(durable)(new Request(`https://larder.test/api/v1/${path}`, init), context)
  await waitOnExecutionContext(context)
  return response
}

const flushed = async () => ((await (await send("POST", "admin/flush")).json()) as { flushed: number }).flushed

/** What the newest snapshot holds under an id. */
const saved = async (id: string): Promise<string | undefined> => {
  const snapshots = SnapshotsKv.make(KvBinding.make(bindings.CACHE_DO_KV))
  const image = await Effect.runPromise(loaded(snapshots, "shard-0"))
  const row = image?.rows.find((row) => row.id === id)
  return row?.body && new TextDecoder().decode(row.body.value)
}

describe("the alarm that the platform fires", () => {
  it("saves what was written into CACHE_DO_KV, once, and stays set", async () => {
    const object = bindings.CACHE_DO.getByName("shard-0")
    const key = `alarm-${crypto.randomUUID()}`
    expect((await send("PUT", `cache/default/${key}`, "1")).status).toBe(201)
    expect(await runDurableObjectAlarm(object)).toBe(true)
    expect(await saved(`default/${key}`)).toBe("1")
    expect(await flushed()).toBe(0)
    expect((await send("PUT", `cache/default/${key}`, "2")).status).toBe(204)
    expect(await saved(`default/${key}`)).toBe("1")
    expect(await runDurableObjectAlarm(object)).toBe(true)
    expect(await saved(`default/${key}`)).toBe("2")
    expect(await flushed()).toBe(0)
  })
})
