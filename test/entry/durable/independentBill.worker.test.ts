import { createExecutionContext, env, runInDurableObject, waitOnExecutionContext } from "cloudflare:test"
import { afterAll, expect, it } from "vitest"
import type { Env } from "../../../src/entry/app.ts"
import { renewedObject } from "../../support/durable/renewedObject.ts"
import * as Isolates from "../../support/isolates.ts"

renewedObject()

const bindings = env as unknown as Required<Env>

/** What the bindings saw, told by no part of Larder. */
const seen = { requests: 0, millis: 0, kvReads: 0, kvWrites: 0, kvDeletes: 0, kvLists: 0 }

/** Time that stands still but for calls of objects, each of which takes {@link callMillis}. */
const callMillis = 7
const clock = { now: Date.now(), open: 0, since: 0 }
const dateNow = Date.now
Date.now = () => clock.now

afterAll(() => {
  Date.now = dateNow
})

/** Counts an object's work: what overlaps counts once. */
const working = async (call: () => Promise<unknown>): Promise<unknown> => {
  if (clock.open++ === 0) clock.since = clock.now
  try {
    return await call()
  } finally {
    clock.now += callMillis
    if (--clock.open === 0) seen.millis += clock.now - clock.since
  }
}

const wrappedObjects = new Proxy(bindings.CACHE_DO, {
  get: (target, property) => {
    const member = Reflect.get(target, property, target) as unknown
    if (typeof member !== "function") return member
    if (property !== "getByName") return member.bind(target)
    return (name: string) =>
      new Proxy(target.getByName(name), {
        get:
          (stub, method) =>
          (...args: ReadonlyArray<unknown>) => {
            seen.requests += 1
            const call = (
              stub as unknown as Record<string | symbol, (...args: ReadonlyArray<unknown>) => Promise<unknown>>
            )[method]!
            return working(() => call(...args))
          }
      })
  }
})

const kinds = {
  get: "kvReads",
  getWithMetadata: "kvReads",
  put: "kvWrites",
  delete: "kvDeletes",
  list: "kvLists"
} as const

type Method = (this: unknown, ...args: ReadonlyArray<unknown>) => unknown

/** Replaces a method of everything that the platform makes of the same class, be it a Worker's or an object's. */
const watched = (one: object, name: string, watch: (method: Method) => Method): void => {
  const prototype = Object.getPrototypeOf(one) as Record<string, Method>
  prototype[name] = watch(prototype[name]!)
}

for (const [name, kind] of Object.entries(kinds)) {
  watched(
    bindings.CACHE_KV,
    name,
    (method) =>
      function (this: unknown, ...args) {
        seen[kind] += Array.isArray(args[0]) ? args[0].length : 1
        return method.apply(this, args as Array<unknown>)
      }
  )
}

const durable: Env = {
  ...bindings,
  FEATURE_FLAG_DO_CACHE: "on",
  COLLECTIONS: JSON.stringify({ pages: { packed: true }, plain: {} }),
  CACHE_DO: wrappedObjects
} as Env

const serve = Isolates.serve(durable)

const ring = async (cron: string): Promise<void> => {
  const context = createExecutionContext()
  await Isolates.fire(durable)(cron, context)
  await waitOnExecutionContext(context)
}

const send = async (method: string, path: string, body?: string): Promise<Response> => {
  const context = createExecutionContext()
  const headers = { "X-API-KEY": "test", ...(body?.startsWith("{") ? { "Content-Type": "application/json" } : {}) }
  const init = body === undefined ? { method, headers } : { method, headers, body }
  const response = await serve(new Request(`https://larder.test/api/v1/${path}`, init), context)
  await waitOnExecutionContext(context)
  return response
}

const kvRows = {
  get: { rowsRead: 1, rowsWritten: 0 },
  put: { rowsRead: 0, rowsWritten: 1 },
  delete: { rowsRead: 0, rowsWritten: 1 }
}

/** Rows of the object's SQLite, from cursors that the test holds itself, and its keys and values, which are rows, too. */
const watchRows = async () => {
  const cursors: Array<{ readonly rowsRead: number; readonly rowsWritten: number }> = []
  await runInDurableObject(bindings.CACHE_DO.getByName("shard-0"), (_, { storage }) => {
    watched(
      storage.sql,
      "exec",
      (exec) =>
        function (this: unknown, ...args) {
          const cursor = exec.apply(this, args as Array<unknown>)
          cursors.push(cursor as (typeof cursors)[number])
          return cursor
        }
    )
    for (const [name, row] of Object.entries(kvRows)) {
      watched(
        storage.kv,
        name,
        (method) =>
          function (this: unknown, ...args) {
            cursors.push(row)
            return method.apply(this, args as Array<unknown>)
          }
      )
    }
  })
  return () =>
    runInDurableObject(bindings.CACHE_DO.getByName("shard-0"), () => ({
      rowsRead: cursors.reduce((sum, cursor) => sum + cursor.rowsRead, 0),
      rowsWritten: cursors.reduce((sum, cursor) => sum + cursor.rowsWritten, 0),
      keptBeside: cursors.filter((row) => row === kvRows.put).length
    }))
}

interface Told {
  readonly total: {
    readonly kv: Record<string, number>
    readonly durableObject: { readonly requests: number; readonly rowsRead: number; readonly rowsWritten: number }
  }
  readonly usd: { readonly spent: number; readonly lines: ReadonlyArray<{ item: string; count: number; usd: number }> }
}

const ledger = async () => (await (await send("GET", "ledger")).json()) as Told

it("the ledger's dollars are those of an independent count at the bindings", async () => {
  await send("PUT", "cache/default/first", "1")
  const rows = await watchRows()
  const [before, seenBefore, rowsBefore] = [await ledger(), { ...seen }, await rows()]
  const key = crypto.randomUUID()
  for (const collection of ["pages", "plain", "default"]) {
    await send("PUT", `cache/${collection}/${key}`, "1")
    await send("GET", `cache/${collection}/${key}`)
    await send("GET", `cache/${collection}/none-${key}`)
    const set = Array.from({ length: 20 }, (_, index) => ({ key: `${key}-${index}`, value: `${index}`, tags: ["t"] }))
    await send("POST", `cache/${collection}/batch`, JSON.stringify({ set, get: [`${key}-a`], delete: [key] }))
    await send("GET", `cache/${collection}?limit=10`)
  }
  await send("POST", "cache/invalidate", JSON.stringify({ tags: ["t"] }))
  await send("DELETE", "cache/plain")
  await send("POST", "admin/flush")
  await ring("*/5 * * * *")
  const [after, seenAfter, rowsAfter] = [await ledger(), { ...seen }, await rows()]
  const kvOf = ({ total }: Told) => total.kv
  const gbSeconds = ({ usd }: Told) => usd.lines.find(({ item }) => item === "durableObjectDuration")!.count
  const own = {
    requests: seenAfter.requests - seenBefore.requests,
    gbSeconds: expect.closeTo(((seenAfter.millis - seenBefore.millis) / 1000) * 0.128, 9),
    rowsRead: rowsAfter.rowsRead - rowsBefore.rowsRead,
    rowsWritten: rowsAfter.rowsWritten - rowsBefore.rowsWritten,
    reads: seenAfter.kvReads - seenBefore.kvReads,
    writes: seenAfter.kvWrites - seenBefore.kvWrites,
    deletes: seenAfter.kvDeletes - seenBefore.kvDeletes,
    lists: seenAfter.kvLists - seenBefore.kvLists
  }
  const told = {
    requests: after.total.durableObject.requests - before.total.durableObject.requests,
    gbSeconds: gbSeconds(after) - gbSeconds(before),
    rowsRead: after.total.durableObject.rowsRead - before.total.durableObject.rowsRead,
    rowsWritten: after.total.durableObject.rowsWritten - before.total.durableObject.rowsWritten,
    reads: kvOf(after).reads! - kvOf(before).reads!,
    writes: kvOf(after).writes! - kvOf(before).writes!,
    deletes: kvOf(after).deletes! - kvOf(before).deletes!,
    lists: kvOf(after).lists! - kvOf(before).lists!
  }
  expect(told).toStrictEqual(own)
  expect(rowsAfter.keptBeside).toBeGreaterThan(rowsBefore.keptBeside)
  const usd =
    own.requests * 0.15e-6 +
    own.rowsRead * 0.001e-6 +
    own.rowsWritten * 1e-6 +
    own.reads * 0.5e-6 +
    (own.writes + own.deletes + own.lists) * 5e-6 +
    ((seenAfter.millis - seenBefore.millis) / 1000) * 0.128 * 12.5e-6
  expect(after.usd.spent - before.usd.spent).toBeCloseTo(usd, 12)
})
