import { createExecutionContext, env, waitOnExecutionContext } from "cloudflare:test"
import { describe, expect, it } from "vitest"
import type { Env } from "../../../src/entry/app.ts"
import { renewedObject } from "../../support/durable/renewedObject.ts"
import * as Isolates from "../../support/isolates.ts"

renewedObject()

/** A deployment of its own, over the storage that all tests share. */
const deploy = (variables: Record<string, string>) => {
  const own = { ...(env as unknown as Env), ...variables }
  return async (method: string, path: string, body?: string): Promise<Response> => {
    const context = createExecutionContext()
    const headers = { "X-API-KEY": "test", "Content-Type": "application/json" }
    const init = body === undefined ? { method, headers } : { method, headers, body }
    const response = await Isolates.serve(own)(new Request(`https://larder.test/api/v1/cache/${path}`, init), context)
    await waitOnExecutionContext(context)
    return response
  }
}

const COLLECTIONS = JSON.stringify({
  charts: {
    alias: [
      { rule: "case", to: "upper" },
      { rule: "order" },
      { rule: "default", parameter: "interval", value: "5m" },
      { rule: "synonyms", words: { google: "GOOGL" } }
    ]
  }
})

describe("alias rules, over HTTP", () => {
  it("what is written under one spelling is read, listed and deleted under all", async () => {
    const send = deploy({ COLLECTIONS })
    const spelling = (text: string) => `charts/${encodeURIComponent(text)}`
    const id = crypto.randomUUID().toUpperCase()
    expect((await send("PUT", spelling(`google/${id}?range=1d&interval=5m`), "1")).status).toBe(201)
    for (const key of [`GOOGL/${id}?range=1d`, `Google/${id}?interval=5m&range=1d`]) {
      const response = await send("GET", spelling(key))
      expect([response.status, await response.text()]).toStrictEqual([200, "1"])
      expect(response.headers.get("Cache-Status")).toContain("detail=memory")
    }
    expect((await send("GET", spelling(`google/${id}?range=5d`))).status).toBe(404)
    const batch = await send("POST", "charts/batch", JSON.stringify({ get: [`googl/${id}?range=1d`] }))
    expect(await batch.json()).toMatchObject({ get: [{ key: `googl/${id}?range=1d`, found: true, value: 1 }] })
    const { keys } = (await (await send("GET", `charts?prefix=GOOGL/${id}`)).json()) as { keys: Array<{ key: string }> }
    expect(keys.map(({ key }) => key)).toStrictEqual([`GOOGL/${id}?range=1d`])
    expect((await send("DELETE", spelling(`google/${id}?range=1d`))).status).toBe(204)
    expect((await send("GET", spelling(`GOOGL/${id}?range=1d`))).status).toBe(404)

    const { aliases } = (await (await send("GET", "stats")).json()) as { aliases: Record<string, unknown> }
    expect(aliases).toMatchObject({
      byCollection: { charts: { changed: 5, rules: [{ rule: { rule: "case" }, applied: 5 }, {}, {}, { applied: 4 }] } },
      suggestions: []
    })
  })

  it("are shown with the policy, and can be switched off", async () => {
    const metadata = (await (await deploy({ COLLECTIONS })("GET", "metadata")).json()) as {
      collections: Array<{ name: string; policy: { alias: Array<unknown> } }>
    }
    expect(metadata.collections.find(({ name }) => name === "charts")?.policy.alias.length).toBe(4)
    const key = crypto.randomUUID()
    const off = deploy({ COLLECTIONS, KEY_ALIAS: "off" })
    await off("PUT", `charts/${key}`, "1")
    expect((await off("GET", `charts/${key.toUpperCase()}`)).status).toBe(404)
  })

  it("that collide keep the Worker from answering", async () => {
    const colliding = { charts: { alias: [{ rule: "synonyms", words: { a: "b", b: "a" } }] } }
    const response = await deploy({ COLLECTIONS: JSON.stringify(colliding) })("GET", "stats")
    expect([response.status, ((await response.json()) as { type: string }).type]).toStrictEqual([
      500,
      "/problems/misconfigured"
    ])
  })
})
