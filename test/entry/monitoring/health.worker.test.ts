import { createExecutionContext, env, waitOnExecutionContext } from "cloudflare:test"
import { describe, expect, it } from "vitest"
import type { Env } from "../../../src/entry/app.ts"
import { version } from "../../../src/entry/monitoring/version.ts"
import wrangler from "../../../wrangler.toml?raw"
import { renewedObject } from "../../support/durable/renewedObject.ts"
import * as Isolates from "../../support/isolates.ts"

renewedObject()

interface Health {
  readonly status: string
  readonly mode: string
  readonly store: string
  readonly version: string
  readonly bindings: Record<string, string>
}

/** An isolate with these bindings in place of its own; undefined: without. */
const isolate = (changed: Record<string, unknown>) => {
  const own: Record<string, unknown> = { ...(env as unknown as Env), ...changed }
  for (const [name, value] of Object.entries(own)) if (value === undefined) delete own[name]
  const serve = Isolates.serve(own as unknown as Env)
  return async (path = "data/health"): Promise<{ status: number; body: Health }> => {
    const context = createExecutionContext()
    const headers = { "X-API-KEY": "test" }
    const response = await serve(new Request(`https://larder.test/api/v1/${path}`, { headers }), context)
    await waitOnExecutionContext(context)
    return { status: response.status, body: (await response.json()) as Health }
  }
}

const counted = () => {
  const calls: Array<string> = []
  const kv = new Proxy((env as unknown as Env).CACHE_KV, {
    get: (target, name) => {
      const member = target[name as keyof KVNamespace] as unknown
      if (typeof member !== "function") return member
      return (...args: ReadonlyArray<unknown>) => {
        calls.push(String(name))
        return (member as (...args: ReadonlyArray<unknown>) => unknown).apply(target, [...args])
      }
    }
  })
  return { calls, kv }
}

/** Every call of it fails. */
class Failing {
  get(): Promise<never> {
    return Promise.reject(new Error("500"))
  }
  getWithMetadata = this.get
  put = this.get
  getMany = this.get
}

describe("health", () => {
  it("in KV mode without CACHE_KV is 503, and says why", async () => {
    const { body, status } = await isolate({ FEATURE_FLAG_DO_CACHE: "off", CACHE_KV: undefined })()
    expect(status).toBe(503)
    expect(body).toMatchObject({ status: "failed", store: "failed", mode: "kv" })
    expect(body.bindings.CACHE_KV).toMatch(/^missing: nothing is kept/)
  })

  it("in KV mode is 503 while KV fails, and reads one key a minute at most while it does not", async () => {
    const outage = await isolate({ FEATURE_FLAG_DO_CACHE: "off", CACHE_KV: new Failing() })()
    expect([outage.status, outage.body.store]).toStrictEqual([503, "failed"])
    const { calls, kv } = counted()
    const ask = isolate({ FEATURE_FLAG_DO_CACHE: "off", CACHE_KV: kv })
    for (let time = 0; time < 5; time++) expect((await ask()).status).toBe(200)
    expect(calls.filter((name) => name.startsWith("get")).length).toBeLessThanOrEqual(2)
    expect(calls.filter((name) => /put|delete|list/.test(name))).toStrictEqual([])
  })

  it("in durable mode asks an object and no KV, is 503 when that does not answer, and says mode and version", async () => {
    const { calls, kv } = counted()
    const { body, status } = await isolate({ FEATURE_FLAG_DO_CACHE: "on", CACHE_KV: kv })()
    expect(status).toBe(200)
    expect(body).toMatchObject({ status: "ok", store: "ok", mode: "durable", version })
    expect(calls).toStrictEqual([])
    const away = { getByName: () => new Failing() }
    const failed = await isolate({ FEATURE_FLAG_DO_CACHE: "on", CACHE_DO: away })()
    expect([failed.status, failed.body.store, failed.body.mode]).toStrictEqual([503, "failed", "durable"])
  })

  it("lists every binding with what its absence means, and names one that may be misspelt", async () => {
    const { CACHE_DO_KV } = env as unknown as Env
    const { body } = await isolate({ FEATURE_FLAG_DO_CACHE: "on", CACHE_DO_KV: undefined, CACHE_D0_KV: CACHE_DO_KV })()
    expect(body.mode).toBe("kv")
    expect(body.bindings.CACHE_DO_KV).toMatch(/^missing: KV mode.*is CACHE_D0_KV meant/)
    const inFile = [...wrangler.split("[env.core]")[0]!.matchAll(/^(?:binding|name) = "([A-Z_]+)"$/gm)]
    expect(inFile.length).toBeGreaterThan(5)
    expect(Object.keys(body.bindings).sort()).toStrictEqual(
      [...new Set([...inFile.map(([, name]) => name!), "AI", "METRICS"])].sort()
    )
    expect([body.bindings.CACHE_DO, body.bindings.DB]).toStrictEqual(["bound", "bound"])
    const other = await isolate({
      FILES: undefined,
      FILE: new Failing(),
      CACHE_KV: undefined,
      CACHE_KVS: new Failing()
    })()
    expect(other.body.bindings.FILES).toContain("is FILE meant")
    expect(other.body.bindings.CACHE_KV).toContain("is CACHE_KVS meant")
  })
})
