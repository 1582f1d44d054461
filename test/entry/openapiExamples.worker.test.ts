import { createExecutionContext, env, runInDurableObject, waitOnExecutionContext } from "cloudflare:test"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { answers as recorded } from "../../scripts/api/answers.ts"
import { document, operations } from "../../scripts/api/document.ts"
import { refusalsOf } from "../../scripts/api/refusals.ts"
import { type Answers, routesOf, tell, variables } from "../../scripts/api/story.ts"
import { api } from "../../src/entry/api.ts"
import type { Env } from "../../src/entry/app.ts"
import type { Kind } from "../../src/entry/http/problem.ts"
import { renewedDatabase, renewedObject } from "../support/durable/renewedObject.ts"
import { migrated } from "../support/files/migrated.ts"
import { problemOf } from "../support/http/httpHarness.ts"
import * as Isolates from "../support/isolates.ts"

renewedObject()
renewedDatabase()
beforeAll(migrated)

/** What the requests leave behind, settings and a report among it, is no other file's. */
afterAll(async () => {
  const { CACHE_DO, CACHE_DO_KV } = env as unknown as Required<Env>
  await runInDurableObject(CACHE_DO.getByName("shard-0"), async (_, { storage }) => {
    await storage.deleteAlarm()
    await storage.deleteAll()
  })
  for (const { name } of (await CACHE_DO_KV.list()).keys) await CACHE_DO_KV.delete(name)
})

const key = crypto.randomUUID()

const isolate = Isolates.serve({
  ...(env as unknown as Env),
  ...variables,
  API_KEYS: `${key},another-key,reader=read`,
  EDGE_TIER: "false"
} as Env)

const ask = async (path: string, init: RequestInit, as = key): Promise<Response> => {
  const context = createExecutionContext()
  const headers = { ...(as === "" ? {} : { "X-API-KEY": as }), ...(init.headers as Record<string, string>) }
  const response = await isolate(new Request(`https://larder.example${path}`, { ...init, headers }), context)
  if (!response.headers.get("Content-Type")?.startsWith("text/event-stream")) await waitOnExecutionContext(context)
  return response
}

const spec = document(api)
const routes = routesOf(spec)

/**
 * Where two values are not of one shape. A null may be anything; of lists, and of what is told by some name, the elements
 * that both have are compared.
 */
const differences = (a: unknown, b: unknown, at = ""): ReadonlyArray<string> => {
  if (a === null || b === null) return []
  const [one, other] = [a, b].map((it) => (Array.isArray(it) ? "array" : typeof it))
  if (one !== other) return [`${at}: ${one}, ${other}`]
  if (Array.isArray(a) && Array.isArray(b)) {
    return a.flatMap((it, i) => (i < b.length ? differences(it, b[i], `${at}/${i}`) : []))
  }
  if (typeof a !== "object") return []
  const [x, y] = [a as Record<string, unknown>, b as Record<string, unknown>]
  return [...new Set([...Object.keys(x), ...Object.keys(y)])].flatMap((name) =>
    name in x && name in y
      ? differences(x[name], y[name], `${at}/${name}`)
      : /\/by[A-Z]\w*$/.test(at)
        ? []
        : [`${at}/${name} is in one only`]
  )
}

/** What the sample has of a quote depends on the hour; whether an object has saved yet, on the files before this one. */
const byTheHour = /^(market|sectors)\..* is in one only$|^cache\.stats\/shards\/0\/snapshotAt is in one only$/

describe("the examples of the reference", () => {
  it("are of the shape of what the Worker answers", async () => {
    const answers = await tell(operations, routes, ask)
    const found = Object.entries(answers).flatMap(([id, { body, status, type }]) => {
      const example = (recorded as Answers)[id]
      return [
        ...(example?.status === status && example.type === type ? [] : [`${id}: ${status} ${type}`]),
        ...differences(example?.body, body).map((it) => `${id}${it}`)
      ]
    })
    expect(found.filter((it) => !byTheHour.test(it))).toStrictEqual([])
  })

  it("are told from others", () => {
    expect(differences({ a: [{ b: 1 }], c: 1 }, { a: [{ b: "1" }] })).toStrictEqual([
      "/a/0/b: number, string",
      "/c is in one only"
    ])
  })

  it("name what every operation refuses: a missing key, one without scope, what is unknown, malformed or not there", async () => {
    const json = { "Content-Type": "application/json" }
    for (const [id, { method, path }] of routes) {
      const { security, requestBody } = spec.paths[path]![method.toLowerCase() as "get"]!
      if (method === "HEAD" || id.endsWith(".stream")) continue
      const takesJson = "application/json" in (requestBody?.content ?? {})
      const parts: Readonly<Record<string, string>> = { collection: "nowhere", ...operations[id]?.path, id: "absent" }
      const url = path.replace(/\{(\w+)\}/g, (_, name: string) => parts[name] ?? "absent")
      const body = takesJson ? { headers: json, body: "{}" } : {}
      const refused = [
        await ask(url, { method }, ""),
        await ask(url, { method }, "reader"),
        await ask(`${url}?unknown=1`, { method, ...body }),
        ...(takesJson ? [await ask(url, { method, headers: json, body: "{" })] : []),
        ...(takesJson ? [await ask(url, { method, headers: { "Content-Type": "text/plain" }, body: "{}" })] : []),
        ...(takesJson ? [await ask(url, { method, headers: json, body: '{"unknown":1}' })] : []),
        ...(url === path || operations[id]?.status === 200 ? [] : [await ask(url, { method, ...body })])
      ].filter(({ ok }) => !ok)
      expect(refused.length, id).toBeGreaterThan(0)
      const named = refusalsOf(id, security.length === 0, takesJson)
      for (const response of refused) {
        const { type } = await problemOf(response)
        expect(named, id).toContain(String(type).slice("/problems/".length) as Kind)
      }
    }
  })
})
