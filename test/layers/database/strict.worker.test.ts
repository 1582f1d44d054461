import { env } from "cloudflare:test"
import * as Effect from "effect/Effect"
import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import { type Counting, make } from "../../../src/layers/database/TableVersionsBinding.ts"
import {
  begun,
  ended,
  noWrites,
  stateOf,
  withoutOverdue,
  writeMillis
} from "../../../src/services/database/model/WriteCounters.ts"
import type { Freshness } from "../../../src/services/database/QueryCache.ts"
import { scratch } from "../../support/database/scratch.ts"
import { runs } from "../../support/runs.ts"

const { DATABASE_DO } = env as unknown as { readonly DATABASE_DO: DurableObjectNamespace }

const strict: Freshness = { kind: "strict" }

const counted = () => {
  const object = crypto.randomUUID()
  return make(() => DATABASE_DO.getByName(object) as unknown as Counting)
}

describe("strict answers", () => {
  it("are never older than a write that was committed before they were asked for, by any isolate", async () => {
    let hits = 0
    const { isolate, prefix: t } = await scratch((t) => [
      `CREATE TABLE ${t}_a (id INTEGER PRIMARY KEY, n INTEGER)`,
      `INSERT INTO ${t}_a VALUES (0, 0), (1, 0)`
    ])
    const step = fc.record({ isolate: fc.nat(2), kind: fc.constantFrom("read", "read", "write"), id: fc.nat(1) })
    const rounds = fc.array(fc.array(step, { minLength: 1, maxLength: 5 }), { minLength: 1, maxLength: 6 })
    await fc.assert(
      fc.asyncProperty(rounds, async (all) => {
        const versions = counted()
        const isolates = [isolate(versions, 0), isolate(versions, 0), isolate(versions, 0)]
        const read = { sql: `SELECT id, n FROM ${t}_a WHERE id = ?` }
        const write = { sql: `UPDATE ${t}_a SET n = n + 1 WHERE id = ? RETURNING n` }
        // What a writer was told is committed.
        const committed = [0, 0]
        for (const id of [0, 1]) {
          const [{ n }] = (await Effect.runPromise(isolates[0]!.read({ ...read, bound: [id] }))).rows as [{ n: number }]
          committed[id] = n
        }
        for (const round of all) {
          const tasks = round.map(async ({ id, isolate, kind }) => {
            const queries = isolates[isolate]!
            if (kind === "write") {
              const [done] = await Effect.runPromise(queries.write([{ ...write, bound: [id] }]))
              committed[id] = Math.max(committed[id]!, done!.rows[0]!.n as number)
              return
            }
            for (let again = 0; again < 2; again++) {
              const before = committed[id]!
              const { rows } = await Effect.runPromise(queries.read({ ...read, bound: [id] }, strict))
              expect(rows[0]!.n).toBeGreaterThanOrEqual(before)
            }
          })
          await Promise.all(tasks)
        }
        hits += isolates.flatMap((one) => one.recorded().statements).reduce((sum, one) => sum + one.cacheHits, 0)
      }),
      { numRuns: runs(40) }
    )
    expect(hits).toBeGreaterThan(0)
  })

  it("are asked for each time where that costs less than a request to the object", async () => {
    const {
      asked,
      isolate,
      prefix: t
    } = await scratch((t) => [
      `CREATE TABLE ${t}_a (n INTEGER)`,
      `WITH RECURSIVE r(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM r WHERE i < 400) INSERT INTO ${t}_a SELECT i FROM r`
    ])
    const queries = isolate(counted())
    const times = async (sql: string) => {
      const before = asked.calls
      for (let i = 0; i < 4; i++) await Effect.runPromise(queries.read({ sql }, strict))
      return asked.calls - before
    }
    expect(await times(`SELECT * FROM ${t}_a LIMIT 100`)).toBe(4)
    // The first call tells how many rows the statement reads, the second is kept.
    expect(await times(`SELECT sum(n) FROM ${t}_a`)).toBe(2)
  })

  it("fail no read when the object does not answer, and every write", async () => {
    const { isolate, prefix: t } = await scratch((t) => [`CREATE TABLE ${t}_a (n INTEGER)`])
    const broken = make(() => {
      throw new Error("no object")
    })
    const queries = isolate(broken, 0)
    const sql = `SELECT * FROM ${t}_a`
    for (let i = 0; i < 3; i++) expect((await Effect.runPromise(queries.read({ sql }, strict))).rows).toStrictEqual([])
    await expect(Effect.runPromise(queries.write([{ sql: `INSERT INTO ${t}_a VALUES (1)` }]))).rejects.toThrow()
    expect((await Effect.runPromise(queries.read({ sql }))).rows).toStrictEqual([])
  })
})

describe("WriteCounters", () => {
  it("say that a table is being written, and count when that ends, by time at the latest", () => {
    const under = begun(begun(noWrites, "x", ["a", "b"], 0), "y", "all", 5)
    expect(stateOf(under, ["c"]).writing).toBe(true)
    const one = ended(under, "y")
    expect(stateOf(one, ["c"])).toMatchObject({ writing: false })
    expect(stateOf(one, ["c"]).version).not.toBe(stateOf(noWrites, ["c"]).version)
    expect(stateOf(one, ["b", "c"]).writing).toBe(true)
    expect(stateOf(withoutOverdue(one, writeMillis - 1), ["a"]).writing).toBe(true)
    const over = withoutOverdue(one, writeMillis)
    expect(stateOf(over, ["a"]).writing).toBe(false)
    expect(stateOf(over, ["a"]).version).not.toBe(stateOf(one, ["a"]).version)
    expect(stateOf(over, "all").version).not.toBe(stateOf(one, "all").version)
    expect(ended(over, "x")).toBe(over)
  })
})
