import { describe, expect, it } from "vitest"
import { deskCollections } from "../../../src/services/desk/model/DeskCollections.ts"
import { define } from "../../../src/services/store/model/Collection.ts"
import { entryOf } from "../../../src/services/store/Store.ts"
import { open, refusalOf } from "../../support/http/httpHarness.ts"

const apiKeys = "write=read+write,all=read+write+admin"
const owned = deskCollections.filter(({ application }) => application !== undefined)
const names = owned.map(({ name }) => name)
const stamp = { wall: 1, counter: 0, writer: "application" }

/** A Worker whose applications have kept an entry `k` in every collection of theirs. */
const kept = (settings = {}) => {
  const client = open({ apiKeys, settings })
  for (const collection of owned) {
    client.script.entries.set(`${collection.name}/k`, entryOf(collection, new Uint8Array([1]), {}, stamp, Date.now()))
  }
  const as = (key: string) => ({ "X-API-KEY": key, "Content-Type": "application/json" })
  const send = (key: string, method: string, path: string, body?: unknown) =>
    client.send(path, { method, headers: as(key), ...(body === undefined ? {} : { body: JSON.stringify(body) }) })
  return { ...client, send }
}

describe("what belongs to an application", () => {
  it("is every collection that one declares, and the collections of callers are not", () => {
    expect(names.length).toBeGreaterThan(8)
    expect(names).toContain("alert-rules")
    expect(names).toContain("daily-reports")
    expect(names).not.toContain("default")
  })

  it.each(
    names
  )("%s is closed to a key that may read and write, and a refusal names the route to use", async (name) => {
    const { script, send } = kept()
    const collection = `/api/v1/cache/${name}`
    const requests: ReadonlyArray<[string, string, unknown?]> = [
      ["GET", `${collection}/k`],
      ["HEAD", `${collection}/k`],
      ["PUT", `${collection}/k`, 2],
      ["DELETE", `${collection}/k`],
      ["GET", collection],
      ["DELETE", collection],
      ["POST", `${collection}/batch`, { get: ["k"] }],
      ["POST", `${collection}/batch`, { set: [{ key: "k", value: 2 }] }],
      ["POST", `${collection}/batch`, { delete: ["k"] }]
    ]
    const route = owned.find((one) => one.name === name)!.application!.route
    for (const [method, path, body] of requests) {
      const response = await send("write", method, path, body)
      if (method === "HEAD") expect(response.status).toBe(403)
      else {
        const { detail } = await refusalOf(response, "application-collection")
        if (route !== undefined) expect(detail).toContain(route)
      }
    }
    expect(script.entries.get(`${name}/k`)?.value).toStrictEqual(new Uint8Array([1]))
  })

  it.each(names)("%s may be read by an administrator, and is changed by nobody", async (name) => {
    const { script, send } = kept()
    const collection = `/api/v1/cache/${name}`
    expect((await send("all", "GET", `${collection}/k`)).status).toBe(200)
    expect((await send("all", "GET", collection)).status).toBe(200)
    expect((await send("all", "POST", `${collection}/batch`, { get: ["k"] })).status).toBe(200)
    for (const [method, path, body] of [
      ["PUT", `${collection}/k`, 2],
      ["DELETE", `${collection}/k`],
      ["DELETE", collection],
      ["POST", `${collection}/batch`, { get: ["k"], delete: ["k"] }]
    ] as const) {
      await refusalOf(await send("all", method, path, body), "application-collection")
    }
    expect(script.entries.has(`${name}/k`)).toBe(true)
  })

  it("is not ended by a caller's tags, though the deployer gave its collection the same", async () => {
    const reports = deskCollections.find(({ name }) => name === "daily-reports")!
    const tagged = define("daily-reports", { ...reports.policy, tags: ["market"] }, reports.application)
    const { script, send } = kept({
      collections: new Map([
        ...deskCollections.map((one) => [one.name, one] as const),
        ["daily-reports", tagged],
        ["notes", define("notes")]
      ])
    })
    const put = (id: string, collection: typeof tagged) =>
      script.entries.set(id, entryOf(collection, new Uint8Array([1]), { tags: ["market"] }, stamp, Date.now()))
    put("daily-reports/k", tagged)
    put("notes/k", define("notes"))
    expect((await send("write", "POST", "/api/v1/cache/invalidate", { tags: ["market"] })).status).toBe(200)
    expect(script.entries.has("notes/k")).toBe(false)
    expect(script.entries.has("daily-reports/k")).toBe(true)
    const reply = await send("all", "POST", "/api/v1/cache/invalidate", { tags: ["market"] })
    expect(await reply.json()).toMatchObject({ tags: ["market"] })
    expect(script.entries.has("daily-reports/k")).toBe(false)
  })

  it("is told by metadata", async () => {
    const { send } = kept()
    const { collections } = (await (await send("write", "GET", "/api/v1/cache/metadata")).json()) as {
      collections: ReadonlyArray<{ name: string; application?: { route?: string } }>
    }
    expect(collections.find(({ name }) => name === "alert-rules")?.application?.route).toBe("/api/v1/alerts")
    expect(collections.find(({ name }) => name === "default")?.application).toBeUndefined()
  })
})
