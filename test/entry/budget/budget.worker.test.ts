import { createExecutionContext, env, waitOnExecutionContext } from "cloudflare:test"
import { beforeEach, describe, expect, it } from "vitest"
import type { Env } from "../../../src/entry/app.ts"
import { renewedObject } from "../../support/durable/renewedObject.ts"
import { problemOf } from "../../support/http/httpHarness.ts"
import * as Isolates from "../../support/isolates.ts"

renewedObject()

const bindings = env as unknown as Env

/** A deployment of its own, over the storage that all tests share. */
const deploy = (variables: Record<string, string>) => {
  const own = { ...bindings, ...variables }
  return async (method: string, path: string, body?: string, key = "test"): Promise<Response> => {
    const context = createExecutionContext()
    const headers = { "X-API-KEY": key }
    const init = body === undefined ? { method, headers } : { method, headers, body }
    const response = await Isolates.serve(own)(new Request(`https://larder.test/api/v1/${path}`, init), context)
    await waitOnExecutionContext(context)
    return response
  }
}

// biome-ignore lint/suspicious/noExplicitAny: the assertions are the types
const budgetOf = async (send: ReturnType<typeof deploy>): Promise<any> =>
  ((await (await send("GET", "ledger")).json()) as { budget: unknown }).budget

beforeEach(() => bindings.CACHE_KV.delete("~~budget"))

describe("the daily budget, over HTTP", () => {
  it("is null in the ledger, and in no header, where nothing is limited", async () => {
    const send = deploy({})
    expect(await budgetOf(send)).toBeNull()
    expect((await send("GET", "ledger")).headers.has("Larder-Budget")).toBe(false)
  })

  it("in KV mode a write beyond it is answered 429 until 00:00 UTC, and reads go on", async () => {
    const send = deploy({ FEATURE_FLAG_DO_CACHE: "off", BUDGET_WRITES: "3", BUDGET_READS: "100000" })
    const keys = [1, 2, 3, 4].map(() => `cache/default/${crypto.randomUUID()}`)
    const answers: Array<Response> = []
    for (const key of keys) answers.push(await send("PUT", key, "1"))
    expect(answers.map(({ status }) => status).filter((status) => status === 429).length).toBeGreaterThan(0)
    const refused = answers.at(-1)!
    expect(await problemOf(refused.clone())).toMatchObject({ status: 429, type: "/problems/daily-limit" })
    const untilMidnight = (86_400_000 - (Date.now() % 86_400_000)) / 1000
    expect(Math.abs(Number(refused.headers.get("Retry-After")) - untilMidnight)).toBeLessThan(60)
    expect(refused.headers.get("Larder-Budget")).toMatch(/writes;spent=\d+;of=3;mode=spent/)
    expect((await send("GET", keys[0]!)).status).toBe(200)
    const budget = await budgetOf(send)
    expect(budget.kinds.writes).toMatchObject({ allowance: 3, mode: "spent" })
    expect(budget.kinds.reads).toMatchObject({ allowance: 100_000, mode: "normal" })
    expect(Date.parse(budget.resetsAt) % 86_400_000).toBe(0)
    expect((await send("GET", "ledger", undefined, "wrong")).headers.has("Larder-Budget")).toBe(false)
  })

  it("in durable mode is shared through the first object, and refuses no write", async () => {
    const variables = { FEATURE_FLAG_DO_CACHE: "on", BUDGET_WRITES: "30" }
    const first = bindings.CACHE_DO!.getByName("shard-0") as unknown as {
      spend: (day: number, spent: object) => Promise<{ writes: number }>
    }
    const today = Math.floor(Date.now() / 86_400_000)
    const { writes } = await first.spend(today, { reads: 0, writes: 40, deletes: 0, lists: 0 })
    expect(writes).toBeGreaterThanOrEqual(40)
    const none = { reads: 0, writes: 0, deletes: 0, lists: 0 }
    expect(await first.spend(today, none)).toMatchObject({ writes })
    expect(await first.spend(today + 1, none)).toMatchObject(none)
    const send = deploy(variables)
    for (let i = 0; i < 3; i++) {
      expect((await send("PUT", `cache/default/${crypto.randomUUID()}`, "1")).status).toBe(201)
    }
  })

  it("that is none keeps the Worker from answering", async () => {
    expect((await deploy({ BUDGET_WRITES: "many" })("GET", "ledger")).status).toBe(500)
  })
})
