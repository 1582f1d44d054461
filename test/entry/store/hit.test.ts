import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as fc from "effect/FastCheck"
import { parse, type Scope } from "../../../src/entry/http/authorize.ts"
import * as Hit from "../../../src/entry/store/hit.ts"
import { define } from "../../../src/services/store/model/Collection.ts"
import { Store } from "../../../src/services/store/Store.ts"
import { runs } from "../../support/runs.ts"
import { virtually } from "../../support/virtually.ts"
import { kvMode } from "../../support/worlds.ts"

const notes = define("notes", { jitter: 0, memoryTtl: "60 seconds" })
const desk = define("desk", { jitter: 0 })
const owned = { ...desk, application: { name: "market", route: "/api/v1/desk/{id}" } }
const note = define("note", { jitter: 0 })
const collections = new Map([
  ["notes", notes],
  ["note", note],
  ["desk", owned]
])
const layer = () => kvMode({ settings: { collections } })
const origin = "https://larder.test"
const url = `${origin}/api/v1/cache/notes/a`

/** Keys that a careless reading of a URL would come to. */
const pitfalls = ["a?x=1", "a?", "a#x", "a/.b", "undefined", `${origin}/api/v1/cache/notes`]

/** The shortest way, in an isolate whose memory holds `a` of every collection, and the pitfalls. */
const shortest = <A>(secret: string, body: (answer: (request: Request) => Response | undefined) => A) =>
  virtually(
    Effect.gen(function* () {
      const store = yield* Store
      const answer = yield* Hit.make(parse(secret).keys)
      for (const collection of collections.values()) {
        for (const key of ["a", ...pitfalls]) yield* store.set(collection, key, new TextEncoder().encode("1"))
      }
      return body(answer)
    }).pipe(Effect.provide(layer()))
  )

const get = (key: string | undefined, to = url, method = "GET") =>
  new Request(to, { method, headers: key === undefined ? {} : { "X-API-KEY": key } })

describe("the shortest way through the hot route", () => {
  it.effect.prop(
    "answers exactly those keys that may read",
    [fc.subarray<Scope>(["read", "write", "admin"], { minLength: 1 })],
    ([scopes]) =>
      shortest(`k=${scopes.join("+")},other=read`, (answer) => {
        expect(answer(get("k"))?.status).toBe(scopes.includes("read") ? 200 : undefined)
      }),
    { fastCheck: { numRuns: runs(20) } }
  )

  it.effect("answers nobody without a key, with an unknown one, or where no key is set", () =>
    Effect.gen(function* () {
      yield* shortest("k=read", (answer) => {
        expect(answer(get("k"))?.status).toBe(200)
        for (const key of [undefined, "", "K", "kk", "k=read"]) expect(answer(get(key))).toBeUndefined()
      })
      yield* shortest("", (answer) => {
        for (const key of [undefined, "", "k"]) expect(answer(get(key))).toBeUndefined()
      })
    })
  )

  it.effect("leaves to the long way what is no GET, has parameters, or names what an application owns", () =>
    shortest("k", (answer) => {
      expect(answer(get("k"))?.status).toBe(200)
      for (const method of ["HEAD", "PUT", "DELETE", "POST"]) expect(answer(get("k", url, method))).toBeUndefined()
      for (const path of [
        "/api/v1/cache/notes/a?x=1",
        "/api/v1/cache/notes/a?",
        "/api/v1/cache/notes/a#x",
        "/api/v1/cache/notes/a/.b",
        "/api/v1/cache/notes/%2e%2e%",
        "/api/v1/cache/notes",
        "/api/v1/cache/none/a",
        "/api/v1/cache/desk/a",
        "/api/v1/cached/notes/a",
        "/api/v2/cache/notes/a",
        "/x/api/v1/cache/notes/a"
      ]) {
        expect([path, answer(get("k", origin + path))]).toStrictEqual([path, undefined])
      }
    })
  )

  it.effect("answers what memory holds, and nothing that it does not", () =>
    Effect.gen(function* () {
      const text = yield* shortest("k", (answer) => answer(get("k"))!.text())
      expect(yield* Effect.promise(() => text)).toBe("1")
      yield* shortest("k", (answer) => {
        expect(answer(get("k", `${origin}/api/v1/cache/notes/b`))).toBeUndefined()
      })
    })
  )
})
