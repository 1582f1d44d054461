import { Ajv2020 } from "ajv/dist/2020.js"
import { describe, expect, it } from "vitest"
import { document, documentText, operations } from "../../scripts/api/document.ts"
import { elsewhere } from "../../scripts/api/refusals.ts"
import { api } from "../../src/entry/api.ts"
import { kinds } from "../../src/entry/http/problem.ts"
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

interface Media {
  readonly schema: object
  readonly example?: unknown
  readonly examples?: Readonly<Record<string, { readonly $ref: string }>>
}

describe("the answers of the OpenAPI document", () => {
  const spec = JSON.parse(documentText(api)) as ReturnType<typeof document> & {
    readonly components: {
      readonly examples: Readonly<Record<string, { readonly value: { readonly status: number } }>>
    }
  }
  const ajv = new Ajv2020({ strict: false, validateFormats: false })
  ajv.addSchema({ $id: "larder", components: spec.components })
  const compiled = new Map<string, ReturnType<typeof ajv.compile>>()

  /** What is wrong with a value by a schema of the document. */
  const faults = (schema: object, value: unknown): unknown => {
    const text = JSON.stringify(schema).replaceAll('"$ref":"#', '"$ref":"larder#')
    const valid = compiled.get(text) ?? ajv.compile(JSON.parse(text) as object)
    compiled.set(text, valid)
    return valid(value) ? [] : valid.errors
  }

  const answers = Object.values(spec.paths).flatMap((item) =>
    Object.values(item).flatMap(({ operationId, responses }) =>
      Object.entries(responses).flatMap(([status, { content }]) =>
        Object.values((content ?? {}) as Readonly<Record<string, Media>>).map((media) => ({
          name: `${operationId} ${status}`,
          status: Number(status),
          media
        }))
      )
    )
  )

  it("have an example of every success with a body, and it is what the schema says", () => {
    const given = answers.filter(({ status }) => status < 300)
    const operationsWithout = new Set(given.map(({ name }) => name.split(" ")[0]!))
    for (const { media, name } of given) {
      if (media.example === undefined) continue
      operationsWithout.delete(name.split(" ")[0]!)
      expect(faults(media.schema, media.example), name).toStrictEqual([])
    }
    // What is cleared at once has no body: only a clearing that is not over has one.
    expect([...operationsWithout]).toStrictEqual(["cache.clear"])
  })

  it("have an example of every refusal, each with its own status, and each problem is an example of some operation", () => {
    const shown = new Set<string>()
    for (const { media, name, status } of answers.filter(({ status }) => status >= 400)) {
      expect(Object.keys(media.examples ?? {}).length, name).toBeGreaterThan(0)
      for (const [kind, { $ref }] of Object.entries(media.examples!)) {
        expect($ref).toBe(`#/components/examples/${kind}`)
        const { value } = spec.components.examples[kind]!
        expect([value.status, faults(media.schema, value)], `${name} ${kind}`).toStrictEqual([status, []])
        shown.add(kind)
      }
    }
    expect([...shown, ...elsewhere].sort()).toStrictEqual(Object.keys(kinds).sort())
  })

  it("are told from what is no such answer", () => {
    const { media } = answers.find(({ name }) => name === "cache.list 200")!
    expect(faults(media.schema, { keys: [{ key: 1 }], cursor: null })).not.toStrictEqual([])
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
