import { createExecutionContext, env, waitOnExecutionContext } from "cloudflare:test"
import { beforeAll, describe, expect, it } from "vitest"
import { document, operations } from "../../../scripts/api/document.ts"
import type { Operation } from "../../../scripts/api/operations.ts"
import { api } from "../../../src/entry/api.ts"
import type { Env } from "../../../src/entry/app.ts"
import { renewedObject } from "../../support/durable/renewedObject.ts"
import { migrated } from "../../support/files/migrated.ts"
import { problemOf } from "../../support/http/httpHarness.ts"
import * as Isolates from "../../support/isolates.ts"

renewedObject()
beforeAll(migrated)

const isolate = Isolates.serve({ ...(env as unknown as Env), API_KEYS: "test" } as Env)

const ask = async (
  method: string,
  path: string,
  body?: unknown,
  query: Record<string, string> = {},
  more: Record<string, string> = {}
) => {
  const url = new URL(path, "https://larder.test")
  for (const [name, value] of Object.entries(query)) url.searchParams.append(name, value)
  const context = createExecutionContext()
  const response = await isolate(
    new Request(url, {
      method,
      headers: { ...more, "X-API-KEY": "test", ...(body === undefined ? {} : { "Content-Type": "application/json" }) },
      ...(body === undefined ? {} : { body: JSON.stringify(body) })
    }),
    context
  )
  await waitOnExecutionContext(context)
  return response
}

interface Described {
  readonly name: string
  readonly method: string
  readonly path: string
  readonly example: Operation | undefined
  readonly takesJson: boolean
}

/** Every operation of the document, at the path of its example. */
const described: ReadonlyArray<Described> = Object.entries(document(api).paths).flatMap(([path, item]) =>
  Object.entries(item).map(([method, operation]) => {
    const example = operations[operation.operationId]
    const given: Readonly<Record<string, string>> = { collection: "default", ...example?.path }
    return {
      name: `${method.toUpperCase()} ${path}`,
      method: method.toUpperCase(),
      path: path.replace(/\{(\w+)\}/g, (_, part: string) => given[part] ?? "missing"),
      example,
      takesJson: Object.keys(operation.requestBody?.content ?? {}).includes("application/json")
    }
  })
)

/** The objects in a body, each with an unknown field added in turn. */
const withUnknown = (body: unknown): ReadonlyArray<unknown> => {
  if (Array.isArray(body)) {
    return body.flatMap((item, index) => withUnknown(item).map((changed) => body.with(index, changed)))
  }
  if (typeof body !== "object" || body === null) return []
  const inside = Object.entries(body).flatMap(([name, value]) =>
    withUnknown(value).map((changed) => ({ ...body, [name]: changed }))
  )
  return [{ ...body, unknwon: 1 }, ...inside]
}

describe("what was not understood", () => {
  it("has an example in the reference for every operation", () => {
    expect(described.filter(({ example }) => example === undefined).map(({ name }) => name)).toStrictEqual([])
    expect(described.length).toBeGreaterThan(50)
  })

  it.each(described)("$name refuses an unknown parameter by name", async ({ example, method, path, takesJson }) => {
    const body = takesJson ? (example?.body ?? {}) : undefined
    const response = await ask(method, path, body, { ...example?.query, tll: "5" })
    expect(response.status).toBe(400)
    if (method === "HEAD") return
    expect((await problemOf(response)).detail).toContain('"tll"')
  })

  it.each(
    described.filter(({ takesJson }) => takesJson)
  )("$name refuses an unknown field by name, at any depth", async ({ example, method, path }) => {
    // A value of a batch is whatever JSON it is.
    const bodies = withUnknown(example?.body ?? {}).filter(
      (body) => !/"value":\{[^}]*unknwon/.test(JSON.stringify(body))
    )
    expect(bodies.length).toBeGreaterThan(0)
    for (const body of bodies) {
      const problem = await problemOf(await ask(method, path, body))
      expect(problem).toMatchObject({ status: 422, type: "/problems/invalid-body" })
      expect(JSON.stringify(problem.errors)).toContain("unknwon")
    }
  })

  it.each([
    ["/api/v1/cache/default", "junk"],
    ["/api/v1/cache/default", ""],
    ["/api/v1/cache/default", "abc.greeting"],
    ["/api/v1/cache/static", "junk"],
    ["/api/v1/cache/default", "%"],
    ["/api/v1/alerts/dead-letters", "junk"]
  ])("%s refuses the cursor %j", async (path, cursor) => {
    const problem = await problemOf(await ask("GET", path, undefined, { cursor }))
    expect(problem).toMatchObject({ status: 400, type: "/problems/bad-parameter" })
    expect(problem.detail).toMatch(/^cursor: /)
  })

  it("does not hide what was: a cursor that a page gave leads on, and to no other list", async () => {
    for (const key of ["cursor-1", "cursor-2", "cursor-3"]) await ask("PUT", `/api/v1/cache/default/${key}`)
    type Page = { keys: Array<{ key: string }>; cursor: string | null }
    const query = { prefix: "cursor-", limit: "2" }
    const first = (await (await ask("GET", "/api/v1/cache/default", undefined, query)).json()) as Page
    expect(first.keys.map(({ key }) => key)).toStrictEqual(["cursor-1", "cursor-2"])
    const next = { ...query, cursor: first.cursor! }
    const second = (await (await ask("GET", "/api/v1/cache/default", undefined, next)).json()) as Page
    expect(second.keys.map(({ key }) => key)).toStrictEqual(["cursor-3"])
    expect((await ask("GET", "/api/v1/cache/static", undefined, next)).status).toBe(400)
  })

  it.each([
    ["POST", "/api/v1/admin/reshard", { shards: 0 }, "1", "64"],
    ["POST", "/api/v1/admin/reshard", { shards: 65 }, "1", "64"],
    ["POST", "/api/v1/cache/default/batch", { set: [{ key: "a", value: 1, ttl: 0 }] }, "1", "31536000"],
    ["POST", "/api/v1/alerts", { symbol: "AAPL", condition: { kind: "price-above", price: 2e9 } }, "1,000,000,000", ""],
    [
      "POST",
      "/api/v1/alerts",
      { symbol: "AAPL", condition: { kind: "price-above", price: 2 }, cooldownSeconds: -1 },
      "0",
      "604800"
    ],
    ["POST", "/api/v1/storage/shares", { key: "a", expiresIn: 0 }, "1", ""]
  ])("%s %s %j says the range", async (method, path, body, low, high) => {
    const problem = await problemOf(await ask(method, path, body))
    expect(problem.status).toBe(422)
    expect(problem.detail).toContain(low)
    expect(problem.detail).toContain(high)
  })

  it.each([
    ["PUT", "/api/v1/files/a?ttl=1&ttl=2", "ttl"],
    ["POST", "/api/v1/admin/restore?snapshot=oldest", "snapshot"],
    ["GET", "/api/v1/ledger?scope=everything", "scope"],
    ["GET", "/api/v1/monitor/reports?days=x", "days"],
    ["GET", "/api/v1/quotes?symbols=AAPL&symbols=MSFT", "symbols"],
    ["PUT", "/api/v1/cache/default/a?ttl=1&ttl=2", "ttl"]
  ])("%s %s is a parameter that is not valid, whatever the method", async (method, path, name) => {
    const problem = await problemOf(await ask(method, path))
    expect(problem).toMatchObject({ status: 400, type: "/problems/bad-parameter" })
    expect(problem.detail).toContain(name)
  })

  it.each([
    ["GET", "/api/v1/cache/default/a"],
    ["HEAD", "/api/v1/cache/default/a"],
    ["GET", "/api/v1/data/symbols"],
    ["GET", "/api/v1/data/symbols/AAPL"],
    ["GET", "/api/v1/data/static/sectors"],
    ["GET", "/api/v1/files/a"],
    ["PUT", "/api/v1/cache/default/a"],
    ["DELETE", "/api/v1/cache/default/a"]
  ])("%s %s takes no entity tag that is none for one that differs", async (method, path) => {
    for (const headers of [
      { "If-None-Match": "abc" },
      { "If-Match": '"a' },
      { "If-Match": '*, "a"' },
      { "If-Match": "" }
    ]) {
      expect((await ask(method, path, undefined, {}, headers)).status, JSON.stringify(headers)).toBe(400)
    }
  })

  it("is an empty key", async () => {
    const problem = await problemOf(await ask("GET", "/api/v1/monitor/explain?collection=default&key="))
    expect(problem).toMatchObject({ status: 400, type: "/problems/bad-key" })
  })

  it.each([
    ["/api/v1/cache/default", { limit: "0" }],
    ["/api/v1/cache/default", { limit: "1001" }],
    ["/api/v1/files", { limit: "0" }]
  ])("%s %j says the range", async (path, query) => {
    const problem = await problemOf(await ask("GET", path, undefined, query))
    expect(problem.status).toBe(400)
    expect(problem.detail).toMatch(/limit.*1.*1000/s)
  })
})
