import * as FetchHttpClient from "@effect/platform/FetchHttpClient"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import { describe, expect, it } from "vitest"
import * as Client from "../../../src/entry/client.ts"
import { open, refusalOf } from "../../support/http/httpHarness.ts"
import * as ModesWorld from "../../support/migration/modesWorld.ts"

const bytes = (text: string) => new TextEncoder().encode(text)

const [plain] = ModesWorld.collections

/** A client of a Worker in durable mode, with `keys` entries in its objects. */
const opened = async (keys = 0, apiKeys = "test") => {
  const world = await Effect.runPromise(ModesWorld.make())
  for (let number = 0; number < keys; number++) {
    await Effect.runPromise(world.in("durable", (store) => store.set(plain, `k${number}`, bytes(`${number}`))))
  }
  return { world, ...open({ objects: world, apiKeys }) }
}

const post = (path: string, init: RequestInit = {}) => [`/api/v1/admin/${path}`, { method: "POST", ...init }] as const

const operations = ["flush", "restore", "migrate", "reshard"]

describe("who may operate", () => {
  it("403: only keys with the scope admin", async () => {
    const { send } = await opened(0, "test=read+write")
    for (const path of operations) await refusalOf(await send(...post(path)), "forbidden")
  })

  it("401: nobody without a key; 405: nothing but POST", async () => {
    const { answer, send } = await opened()
    for (const path of operations) {
      const url = `https://larder.test/api/v1/admin/${path}`
      await refusalOf(await answer(new Request(url, { method: "POST" })), "unauthorized")
      await refusalOf(await send(`/api/v1/admin/${path}`), "method-not-allowed")
    }
  })

  it("409: nobody where there are no objects", async () => {
    const { send } = open()
    for (const path of ["flush", "restore", "migrate"]) {
      const problem = await refusalOf(await send(...post(path)), "no-durable-objects")
      expect(problem.detail).toMatch(/CACHE_DO/)
    }
  })
})

describe("flush and restore", () => {
  it("say how many shards were saved, and how many rows taken in, without a body and its type", async () => {
    const { send, world } = await opened(3)
    expect(await (await send(...post("flush"))).json()).toStrictEqual({ flushed: 1 })
    expect(await (await send(...post("flush"))).json()).toStrictEqual({ flushed: 0 })
    expect(await (await send(...post("restore"))).json()).toStrictEqual({ taken: 0 })
    await Effect.runPromise(world.destroyObjects)
    expect(await (await send(...post("restore"))).json()).toStrictEqual({ taken: 3 })
  })

  it("503 with Retry-After while a shard is out of reach", async () => {
    const { logged, send, world } = await opened()
    world.switches.unreachable = true
    for (const path of ["flush", "restore"]) {
      const response = await send(...post(path))
      expect(response.headers.get("Retry-After")).toBe("5")
      await refusalOf(response, "unavailable")
    }
    expect(logged.length).toBe(2)
  })
})

describe("migrate", () => {
  it("only says what it will bill, unless it is told to do it", async () => {
    const { send, sendJson, world } = await opened(3)
    for (const init of [{}, { body: "{}", headers: { "Content-Type": "application/json" } }]) {
      const response = await send(...post("migrate", init))
      expect(response.status).toBe(200)
      expect(await response.json()).toMatchObject({ to: "durable", from: "kv", dryRun: true, entries: 0 })
    }
    const said = await (await sendJson("/api/v1/admin/migrate", { to: "kv" })).json()
    expect(said).toMatchObject({
      to: "kv",
      from: "durable",
      dryRun: true,
      complete: true,
      cursor: null,
      entries: 3,
      copied: 3,
      billed: { kv: { reads: 3, writes: 3, deletes: 0, lists: 1 }, durableObject: { rowsWritten: 3 } }
    })
    expect((said as { usd: number }).usd).toBeGreaterThan(20e-6)
    expect((await Effect.runPromise(world.namespace.list())).keys).toStrictEqual([])
    const done = await (await sendJson("/api/v1/admin/migrate", { to: "kv", dryRun: false })).json()
    expect(done).toMatchObject({ to: "kv", dryRun: false, complete: true, copied: 3, dropped: 0, refused: 0 })
    expect((await Effect.runPromise(world.namespace.list())).keys.map(({ name }) => name)).toStrictEqual([
      "k0",
      "k1",
      "k2"
    ])
  })

  it("202 with a cursor when an invocation's operations are spent, and goes on from there", async () => {
    const { sendJson, world } = await opened()
    const keys = Array.from({ length: 900 }, (_, number) => ({ key: `k${number}`, value: bytes("1") }))
    await Effect.runPromise(world.in("durable", (store) => store.writeMany(plain, keys)))
    let copied = 0
    const statuses: Array<number> = []
    for (let cursor: string | undefined; ; ) {
      const body = { to: "kv", dryRun: false, ...(cursor === undefined ? {} : { cursor }) }
      const response = await sendJson("/api/v1/admin/migrate", body)
      const part = (await response.json()) as { complete: boolean; cursor: string | null; copied: number }
      statuses.push(response.status)
      copied += part.copied
      expect(part.complete).toBe(response.status === 200)
      if (part.cursor === null) break
      cursor = part.cursor
    }
    expect(copied).toBe(900)
    expect(statuses.at(-1)).toBe(200)
    expect(statuses.slice(0, -1)).toStrictEqual(statuses.slice(0, -1).map(() => 202))
    expect(statuses.length).toBeGreaterThan(1)
  })

  it("refuses what is no migration, and cursors of another one", async () => {
    const { send, sendJson, world } = await opened(1)
    await refusalOf(await sendJson("/api/v1/admin/migrate", { to: "r2" }), "invalid-body")
    await refusalOf(await sendJson("/api/v1/admin/migrate", { dryRun: "no" }), "invalid-body")
    await refusalOf(await sendJson("/api/v1/admin/migrate", { to: "kv", cursor: "durable.copy" }), "bad-parameter")
    await refusalOf(await send(...post("migrate", { body: "{" })), "unsupported-media-type")
    world.switches.unreachable = true
    await refusalOf(await sendJson("/api/v1/admin/migrate", { to: "durable", dryRun: false }), "unavailable")
  })
})

it("the typed client operates, too", async () => {
  const { answer } = await opened(2)
  const fetch = ((input, init) => answer(new Request(input as string, init))) as typeof globalThis.fetch
  await Client.make({ baseUrl: "https://larder.test", apiKey: Redacted.make("test") }).pipe(
    Effect.flatMap((client) =>
      Effect.gen(function* () {
        expect(yield* client.admin.flush()).toStrictEqual({ flushed: 1 })
        expect(yield* client.admin.restore({ urlParams: {} })).toStrictEqual({ taken: 0 })
        const said = yield* client.admin.migrate({ payload: { to: "kv" } })
        expect(said).toMatchObject({ dryRun: true, copied: 2, complete: true, cursor: null })
      })
    ),
    Effect.provide(FetchHttpClient.layer),
    Effect.provide(Layer.succeed(FetchHttpClient.Fetch, fetch)),
    Effect.runPromise
  )
})
