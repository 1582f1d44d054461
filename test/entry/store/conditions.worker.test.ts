import { createExecutionContext, env, waitOnExecutionContext } from "cloudflare:test"
import { describe, expect, it } from "vitest"
import type { Env } from "../../../src/entry/app.ts"
import { renewedObject } from "../../support/durable/renewedObject.ts"
import * as Isolates from "../../support/isolates.ts"

renewedObject()

const isolate = (mode: "on" | "off") => {
  const own = { ...(env as unknown as Env), FEATURE_FLAG_DO_CACHE: mode }
  const key = `conditions-${crypto.randomUUID()}`
  return async (method: string, headers: Record<string, string> = {}, body?: string): Promise<Response> => {
    const context = createExecutionContext()
    const init = { method, headers: { "X-API-KEY": "test", ...headers }, ...(body === undefined ? {} : { body }) }
    const response = await Isolates.serve(own)(
      new Request(`https://larder.test/api/v1/cache/default/${key}`, init),
      context
    )
    await waitOnExecutionContext(context)
    return response
  }
}

describe("in KV mode", () => {
  it("a write under a condition is 422 and changes nothing, and reads know all conditions", async () => {
    const ask = isolate("off")
    expect((await ask("PUT", {}, "1")).status).toBe(201)
    const got = await ask("GET")
    const tag = got.headers.get("ETag")!
    for (const [name, value] of [
      ["If-Match", tag],
      ["If-Match", "*"],
      ["If-None-Match", "*"],
      ["If-Unmodified-Since", got.headers.get("Last-Modified")!]
    ] as const) {
      for (const method of ["PUT", "DELETE"]) {
        const refused = await ask(method, { [name]: value }, method === "PUT" ? "2" : undefined)
        expect(refused.status).toBe(422)
        expect(await refused.json()).toMatchObject({ type: "/problems/needs-durable-mode" })
      }
    }
    expect(await (await ask("GET", { "If-Match": tag })).text()).toBe("1")
    expect((await ask("GET", { "If-Match": '"x"' })).status).toBe(412)
    expect((await ask("HEAD", { "If-None-Match": `W/${tag}` })).status).toBe(304)
    expect((await ask("GET", { "If-Modified-Since": got.headers.get("Last-Modified")! })).status).toBe(304)
  })
})

describe("in durable mode", () => {
  it("a write is made exactly where its condition holds, and its reply has what the next condition needs", async () => {
    const ask = isolate("on")
    expect((await ask("PUT", { "If-Match": "*" }, "0")).status).toBe(412)
    const created = await ask("PUT", { "If-None-Match": "*" }, "1")
    expect(created.status).toBe(201)
    expect((await ask("PUT", { "If-None-Match": "*" }, "2")).status).toBe(412)
    const replaced = await ask("PUT", { "If-Match": created.headers.get("ETag")! }, "2")
    expect(replaced.status).toBe(204)
    expect((await ask("PUT", { "If-Match": created.headers.get("ETag")! }, "3")).status).toBe(412)
    expect((await ask("PUT", { "If-None-Match": replaced.headers.get("ETag")! }, "3")).status).toBe(412)
    expect((await ask("PUT", { "If-Unmodified-Since": "Mon, 01 Jan 2024 00:00:00 GMT" }, "3")).status).toBe(412)
    expect(await (await ask("GET")).text()).toBe("2")
    expect((await ask("DELETE", { "If-Match": replaced.headers.get("ETag")! })).status).toBe(204)
    expect((await ask("GET", { "If-Match": "*" })).status).toBe(404)
  })
})
