import { env, runInDurableObject } from "cloudflare:test"
import { describe, expect, it } from "vitest"
import type { DatabaseDurableObject } from "../../../src/entry/database/DatabaseDurableObject.ts"
import type { RecordedStatement, SchemaObject } from "../../../src/services/database/IndexAdvisor.ts"

const { DATABASE_DO } = env as unknown as { readonly DATABASE_DO: DurableObjectNamespace<DatabaseDurableObject> }

const object = (type: SchemaObject["type"], name: string, table: string, sql: string): SchemaObject => ({
  type,
  name,
  table,
  sql
})

const orders = object(
  "table",
  "orders",
  "orders",
  "CREATE TABLE orders (id INTEGER PRIMARY KEY, customer INTEGER, state TEXT, at INTEGER, amount INTEGER)"
)
const customers = object(
  "table",
  "customers",
  "customers",
  "CREATE TABLE customers (id INTEGER PRIMARY KEY, email TEXT)"
)

const tables = [
  { name: "orders", rows: 100_000, distinct: { id: 100_000, customer: 5000, state: 4, at: 90_000, amount: 900 } },
  { name: "customers", rows: 5000, distinct: { id: 5000, email: 5000 } }
]

const statement = (sql: string, more: Partial<RecordedStatement> = {}): RecordedStatement => ({
  sql,
  callsPerDay: 1000,
  rowsReadPerCall: 100_000,
  rowsReturnedPerCall: 10,
  rowsWrittenPerCall: 0,
  writes: [],
  ...more
})

const advise = (statements: ReadonlyArray<RecordedStatement>, more: ReadonlyArray<SchemaObject> = [], days = 1) =>
  DATABASE_DO.getByName(crypto.randomUUID()).advise({ objects: [orders, customers, ...more], tables }, statements, days)

describe("IndexAdvisorSqlite", () => {
  it("advises the index that the planner then uses, with what it saves and costs", async () => {
    const [advice, ...more] = await advise([
      statement("SELECT * FROM orders WHERE customer = ? AND state = 'open' ORDER BY at DESC LIMIT 10")
    ])
    expect(more).toStrictEqual([])
    expect(advice).toMatchObject({
      kind: "create",
      statement: expect.stringMatching(/^CREATE INDEX orders_by_customer\S* ON orders \(customer/),
      planBefore: ["SCAN orders", "USE TEMP B-TREE FOR ORDER BY"]
    })
    expect(advice!.planAfter[0]).toContain("USING INDEX orders_by_customer")
    expect(advice!.rowsSavedPerDay).toBeGreaterThan(99_000_000)
    expect(advice!.usdToBuild).toBeCloseTo(0.1001)
  })

  it("serves many statements with few indexes, and drops what a wider one replaces", async () => {
    const narrow = object("index", "narrow", "orders", "CREATE INDEX narrow ON orders (customer)")
    const wide = object("index", "wide", "orders", "CREATE INDEX wide ON orders (customer, at)")
    const advice = await advise(
      [
        statement("SELECT * FROM orders WHERE customer = ? AND at > ?", { rowsReadPerCall: 10 }),
        statement("SELECT c.email FROM customers AS c JOIN orders o ON o.customer = c.id WHERE c.email = ?"),
        statement("SELECT id FROM customers WHERE email = ?", { rowsReadPerCall: 5000 })
      ],
      [narrow, wide]
    )
    expect(advice.map(({ statement }) => statement)).toStrictEqual([
      "CREATE INDEX customers_by_email ON customers (email)",
      'DROP INDEX "narrow"'
    ])
  })

  it("calls an index unused after a day of statements, not before", async () => {
    const unused = object("index", "unused", "orders", "CREATE INDEX unused ON orders (amount)")
    const read = [statement("SELECT * FROM orders WHERE id = ?", { rowsReadPerCall: 1 })]
    expect(await advise(read, [unused], 0.9)).toStrictEqual([])
    expect((await advise(read, [unused])).map(({ statement }) => statement)).toStrictEqual(['DROP INDEX "unused"'])
  })

  it("advises no index that costs more in writes than it saves in reads", async () => {
    const read = statement("SELECT * FROM orders WHERE customer = ?", { callsPerDay: 10 })
    const insert = statement("INSERT INTO orders (customer) VALUES (?)", {
      callsPerDay: 2_000_000,
      rowsReadPerCall: 0,
      rowsWrittenPerCall: 1,
      writes: ["orders"]
    })
    expect(await advise([read])).toHaveLength(1)
    expect(await advise([read, insert])).toStrictEqual([])
  })

  it("explains what an index does not help, and leaves out what it cannot read", async () => {
    const advice = await advise([
      statement("SELECT * FROM customers WHERE lower(email) = ?", { rowsReadPerCall: 5000, rowsReturnedPerCall: 1 }),
      statement("SELECT * FROM orders ORDER BY id LIMIT 10 OFFSET ?"),
      statement("SELECT * FROM customers WHERE email LIKE '%@example.com'", {
        rowsReadPerCall: 5000,
        rowsReturnedPerCall: 2
      }),
      statement("SELECT * FROM nowhere WHERE a = ?")
    ])
    expect(advice.map(({ kind, reason }) => `${kind} ${reason.slice(0, 20)}`).sort()).toStrictEqual([
      "rewrite OFFSET reads what it",
      "rewrite a pattern that begin",
      "rewrite an index on the colu"
    ])
  })

  it("leaves nothing of the copy behind", async () => {
    const stub = DATABASE_DO.getByName(crypto.randomUUID())
    for (let i = 0; i < 2; i++) {
      await stub.advise({ objects: [orders], tables }, [statement("SELECT * FROM orders WHERE state = ?")], 1)
    }
    await runInDurableObject(stub, (_, { storage }) => {
      const left = storage.sql.exec(
        "SELECT name FROM sqlite_schema WHERE name NOT LIKE 'sqlite%' AND name NOT LIKE '_cf%'"
      )
      expect(left.toArray()).toStrictEqual([])
    })
  })
})
