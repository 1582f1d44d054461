import { describe, expect, it } from "vitest"
import { document, documentText } from "../../scripts/api/document.ts"
import { api } from "../../src/entry/api.ts"
import { find, routesOf } from "../../src/entry/http/routes.ts"

const routes = routesOf(api)

describe("the OpenAPI document", () => {
  const spec = document(api)

  it("names every route with all its methods but the HEAD that comes with GET", () => {
    const documented = Object.entries(spec.paths).flatMap(([path, item]) =>
      Object.keys(item).map((method) => `${method} ${path}`)
    )
    expect(documented.sort()).toStrictEqual(
      [
        "get /api/v1/cache/stats",
        "get /api/v1/cache/metadata",
        "post /api/v1/cache/invalidate",
        "post /api/v1/cache/{collection}/batch",
        "get /api/v1/cache/{collection}",
        "delete /api/v1/cache/{collection}",
        "get /api/v1/cache/{collection}/{key}",
        "head /api/v1/cache/{collection}/{key}",
        "put /api/v1/cache/{collection}/{key}",
        "delete /api/v1/cache/{collection}/{key}",
        "get /api/v1/ledger",
        "get /api/v1/data/health",
        "get /api/v1/data/bindings",
        "get /api/v1/data/symbols",
        "get /api/v1/data/symbols/{symbol}",
        "get /api/v1/data/static/{table}",
        "get /api/v1/sectors/snapshot",
        "get /api/v1/quotes",
        "get /api/v1/quotes/stream",
        "get /api/v1/sentiment/analysis",
        "post /api/v1/sentiment/analysis",
        "get /api/v1/signals",
        "get /api/v1/reports/daily/{date}",
        "post /api/v1/admin/cron/report",
        "get /api/v1/alerts",
        "post /api/v1/alerts",
        "get /api/v1/alerts/dead-letters",
        "post /api/v1/alerts/dead-letters/{key}/send",
        "get /api/v1/alerts/{id}",
        "delete /api/v1/alerts/{id}",
        "post /api/v1/admin/cron/alerts",
        "post /api/v1/admin/cron/flush",
        "post /api/v1/admin/cron/prefetch",
        "post /api/v1/admin/flush",
        "post /api/v1/admin/reshard",
        "post /api/v1/admin/restore",
        "post /api/v1/admin/migrate",
        "get /api/v1/database/advice",
        "get /api/v1/database/statements",
        "get /api/v1/files",
        "get /api/v1/files/{key}",
        "put /api/v1/files/{key}",
        "delete /api/v1/files/{key}",
        "post /api/v1/files/presign",
        "post /api/v1/storage/uploads",
        "get /api/v1/storage/uploads/{id}",
        "delete /api/v1/storage/uploads/{id}",
        "put /api/v1/storage/uploads/{id}/parts/{part}",
        "post /api/v1/storage/uploads/{id}/complete",
        "get /api/v1/storage/shares",
        "post /api/v1/storage/shares",
        "delete /api/v1/storage/shares/{id}",
        "get /api/v1/storage/usage",
        "get /api/v1/storage/audit",
        "get /s/{token}"
      ].sort()
    )
  })

  it("has a schema for every reference, and no stray identifiers", () => {
    const text = documentText(api)
    const names = new Set(Object.keys(spec.components.schemas))
    const references = [...text.matchAll(/"\$ref": "#\/components\/schemas\/([^"]+)"/g)].map(([, name]) => name!)
    expect(references.length).toBeGreaterThan(10)
    for (const name of references) expect(names).toContain(name)
    expect(text).not.toMatch(/"\$id"|HttpApiDecodeError/)
  })

  it("asks for a key everywhere but where anybody may ask, and refuses with problems", () => {
    for (const [path, item] of Object.entries(spec.paths)) {
      for (const operation of Object.values(item)) {
        const open = path === "/api/v1/data/health" || path === "/s/{token}"
        expect(operation.security).toStrictEqual(open ? [] : [{ apiKey: [] }])
        expect("401" in operation.responses).toBe(!open)
        for (const [status, response] of Object.entries(operation.responses)) {
          if (Number(status) >= 400)
            expect(Object.keys(response.content ?? {})).toStrictEqual(["application/problem+json"])
        }
      }
    }
  })
})

it("says which bodies may be left out", () => {
  const { paths } = document(api)
  expect(paths["/api/v1/admin/migrate"]?.post?.requestBody?.required).toBeUndefined()
  expect(paths["/api/v1/cache/invalidate"]?.post?.requestBody?.required).toBe(true)
  expect(paths["/api/v1/admin/flush"]?.post?.requestBody).toBeUndefined()
})

describe("a route", () => {
  it("without parameters wins over one with them", () => {
    expect(find(routes, "/api/v1/cache/stats")?.path).toBe("/api/v1/cache/stats")
    expect(find(routes, "/api/v1/cache/other")?.path).toBe("/api/v1/cache/{collection}")
  })

  it("is found by its whole path only", () => {
    for (const path of [
      "/api/v1/ledge",
      "/api/v1/ledger/",
      "x/api/v1/ledger",
      "/api/v1/cache/",
      "/api/v1/cache/a/b/batch/"
    ]) {
      expect(find(routes, path)).toBeUndefined()
    }
  })

  it("needs write for what changes something, unless it says otherwise", () => {
    const access = Object.fromEntries(
      routes.flatMap(({ methods, path }) => [...methods].map(([method, { access }]) => [`${method} ${path}`, access]))
    )
    expect(access["GET /api/v1/data/health"]).toBe("public")
    expect(access["GET /s/{token}"]).toBe("public")
    expect(access["POST /api/v1/cache/{collection}/batch"]).toBe("read")
    for (const [route, scope] of Object.entries(access)) {
      if (/^(GET|HEAD)/.test(route) && !/\/health$|^\w+ \/s\//.test(route)) expect(scope).toBe("read")
      if (/^(PUT|DELETE)|invalidate/.test(route)) expect(scope).toBe("write")
      if (route.includes("/admin/")) expect(scope).toBe("admin")
    }
  })
})
