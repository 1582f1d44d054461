import { describe, expect, it } from "vitest"
import { document, documentText, operations } from "../../scripts/api/document.ts"
import { api } from "../../src/entry/api.ts"
import { find, routesOf } from "../../src/entry/http/routes.ts"

const routes = routesOf(api)

describe("the OpenAPI document", () => {
  const spec = document(api)

  it("names every route with all its methods but the HEAD that comes with GET", () => {
    const documented = Object.entries(spec.paths).flatMap(([path, item]) =>
      Object.keys(item).map((method) => `${method} ${path}`)
    )
    const served = routes.flatMap(({ methods, path }) =>
      [...methods.keys()]
        .filter((method) => method !== "HEAD" || path.endsWith("/{collection}/{key}"))
        .map((method) => `${method.toLowerCase()} ${path}`)
    )
    expect(documented.sort()).toStrictEqual(served.sort())
    expect(documented.length).toBeGreaterThan(50)
    expect(documented).toContain("put /api/v1/cache/{collection}/{key}")
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

describe("the examples of the OpenAPI document", () => {
  const described = Object.entries(document(api).paths).flatMap(([path, item]) =>
    Object.entries(item).map(([method, operation]) => ({ name: `${method.toUpperCase()} ${path}`, operation }))
  )

  it("give every parameter of every path a value, and every body that is not optional one under its type", () => {
    for (const { name, operation } of described) {
      for (const parameter of operation.parameters) {
        if (parameter.in === "path" || parameter.required) expect(parameter, name).toHaveProperty("example")
        expect(parameter.name, name).not.toBe("content-type")
      }
      if (operation.requestBody === undefined) continue
      const [[type, media] = []] = Object.entries(operation.requestBody.content ?? {})
      expect(media, `${name} ${type}`).toHaveProperty("example")
    }
  })

  it("name each operation that they know, and send raw bodies as what they are", () => {
    expect(Object.keys(operations).sort()).toStrictEqual(described.map(({ operation }) => operation.operationId).sort())
    const put = described.find(({ name }) => name === "PUT /api/v1/cache/{collection}/{key}")!.operation
    expect(put.requestBody?.content).toStrictEqual({
      "text/plain": { schema: { type: "string", format: "binary" }, example: "hello" },
      "*/*": { schema: { type: "string", format: "binary" } }
    })
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
      if (/^(PUT|DELETE)|invalidate/.test(route)) expect(scope).toBe(route.includes("/config") ? "admin" : "write")
      if (route.includes("/admin/")) expect(scope).toBe("admin")
    }
  })
})
