import { env, runInDurableObject } from "cloudflare:test"
import * as Effect from "effect/Effect"
import { beforeAll, expect, it } from "vitest"
import * as QueryCacheD1 from "../../../src/layers/database/QueryCacheD1.ts"
import * as TableVersionsOff from "../../../src/layers/database/TableVersionsOff.ts"
import * as FileCatalogD1 from "../../../src/layers/files/FileCatalogD1.ts"
import * as FileSharesD1 from "../../../src/layers/files/FileSharesD1.ts"
import * as FileUsageD1 from "../../../src/layers/files/FileUsageD1.ts"
import * as FileUsersD1 from "../../../src/layers/files/FileUsersD1.ts"
import * as LedgerMemory from "../../../src/layers/ledger/LedgerMemory.ts"
import * as MemoryTierOff from "../../../src/layers/tiers/MemoryTierOff.ts"
import * as SingleFlightPromise from "../../../src/layers/tiers/SingleFlightPromise.ts"
import { placeholdersOf } from "../../../src/services/database/model/Predicates.ts"
import { first, migrated, schema, second } from "../../support/files/migrated.ts"
import { statementsOf } from "../../support/files/statements.ts"

const { DATABASE_DO } = env as unknown as { readonly DATABASE_DO: DurableObjectNamespace }

/** Every statement of the application, as it was run. */
let recorded: ReadonlyArray<string>

beforeAll(async () => {
  const [memory, flights] = [MemoryTierOff.make(), SingleFlightPromise.make()]
  const queries = QueryCacheD1.make(await migrated(), memory, flights, TableVersionsOff.make(), LedgerMemory.make(0))
  const catalog = FileCatalogD1.make(queries)
  const shares = FileSharesD1.make(queries)
  const usage = FileUsageD1.make(queries)
  const users = FileUsersD1.make(queries)
  const owner = crypto.randomUUID()
  const now = Date.now()
  const quota = { maxBytes: 100, maxObjects: 9, maxRequests: 9 }
  const reservation = {
    id: crypto.randomUUID(),
    owner,
    key: "a",
    kind: "parts" as const,
    bytes: 1,
    contentType: "t/t",
    uploadId: undefined,
    fileExpiresAt: undefined,
    createdAt: now,
    expiresAt: now + 1000
  }
  const file = { key: "a", bytes: 1, storedBytes: 1, contentType: "t/t", etag: "e", updatedAt: now, expiresAt: now + 9 }
  const share = { id: crypto.randomUUID(), owner, key: "a", createdAt: now, expiresAt: now + 9 }
  const effects: ReadonlyArray<Effect.Effect<unknown, unknown>> = [
    catalog.bytesLeft(owner, quota, now),
    catalog.reserve([reservation], quota, now),
    catalog.setUploadId(reservation.id, "u"),
    catalog.setPart(reservation.id, { part: 1, bytes: 1, etag: "e" }),
    catalog.parts(reservation.id),
    catalog.reservation(owner, reservation.id),
    catalog.settle(reservation, file, now),
    catalog.release(reservation.id),
    catalog.linksOf(owner, 9),
    catalog.list(owner, { prefix: "a", after: undefined, limit: 9 }, now),
    catalog.expired(now, 9),
    catalog.abandoned(now, 9),
    users.ownerOf(owner),
    users.add({ id: "k", owner, name: undefined, createdAt: now }),
    users.list(owner),
    users.remove(owner, "k"),
    shares.create(share),
    shares.find(share.id, now),
    shares.list(owner, now),
    shares.withdraw(owner, share.id),
    shares.dropExpired(now),
    usage.takeRequest(owner, quota, now),
    usage.report(owner, quota, now),
    usage.audit(owner, 9),
    catalog.remove(owner, "a", "delete", now)
  ]
  for (const effect of effects) await Effect.runPromise(effect)
  recorded = queries.recorded().statements.map(({ example }) => example)
})

/** What of a plan reads more than it must: a table from end to end, or rows to be sorted. */
const wasteOf = (sql: string, storage: DurableObjectStorage): ReadonlyArray<string> => {
  const bound = Array.from({ length: placeholdersOf(sql) }, () => null)
  const tables = /^SCAN (owners|users|files|uploads|upload_parts|shares|audit|usage)\b|TEMP B-TREE FOR ORDER/
  return storage.sql
    .exec<{ detail: string }>(`/* ${crypto.randomUUID()} */ EXPLAIN QUERY PLAN ${sql}`, ...bound)
    .toArray()
    .map(({ detail }) => detail)
    .filter((detail) => tables.test(detail))
}

it("a database from before owners were counted by stored bytes is counted when it is migrated", async () => {
  await runInDurableObject(DATABASE_DO.getByName(crypto.randomUUID()), (_, { storage }) => {
    for (const statement of statementsOf(first)) storage.sql.exec(statement)
    storage.sql.exec("INSERT INTO owners (owner, bytes, objects) VALUES ('a', 9, 2), ('b', 0, 0)")
    storage.sql.exec(`INSERT INTO files (owner, key, bytes, stored_bytes, content_type, etag, updated_at)
      VALUES ('a', '1', 5, 3, 't', 'e', 1), ('a', '2', 4, 4, 't', 'e', 1)`)
    for (const statement of statementsOf(second)) storage.sql.exec(statement)
    const rows = storage.sql.exec("SELECT owner, bytes, stored_bytes FROM owners ORDER BY owner").toArray()
    expect(rows).toStrictEqual([
      { owner: "a", bytes: 9, stored_bytes: 7 },
      { owner: "b", bytes: 0, stored_bytes: 0 }
    ])
  })
})

it("no statement of the files reads a table from end to end or sorts, and each index keeps one from that", async () => {
  await runInDurableObject(DATABASE_DO.getByName(crypto.randomUUID()), (_, { storage }) => {
    for (const statement of statementsOf(schema)) storage.sql.exec(statement)
    expect(recorded.length).toBeGreaterThan(20)
    for (const sql of recorded) expect(wasteOf(sql, storage), sql).toStrictEqual([])
    const indexes = storage.sql
      .exec<{ name: string; sql: string }>(
        "SELECT name, sql FROM sqlite_schema WHERE type = 'index' AND sql IS NOT NULL"
      )
      .toArray()
    expect(indexes.length).toBeGreaterThan(4)
    for (const { name, sql } of indexes) {
      storage.sql.exec(`DROP INDEX ${name}`)
      expect(
        recorded.filter((one) => wasteOf(one, storage).length > 0),
        name
      ).not.toStrictEqual([])
      storage.sql.exec(sql)
    }
  })
})
