import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as fc from "fast-check"
import { beforeAll, describe, expect, it } from "vitest"
import type { Database } from "../../../src/layers/database/QueryCacheD1.ts"
import * as QueryCacheD1 from "../../../src/layers/database/QueryCacheD1.ts"
import * as TableVersionsOff from "../../../src/layers/database/TableVersionsOff.ts"
import * as FileCatalogD1 from "../../../src/layers/files/FileCatalogD1.ts"
import * as FileSharesD1 from "../../../src/layers/files/FileSharesD1.ts"
import * as FileUsageD1 from "../../../src/layers/files/FileUsageD1.ts"
import * as LedgerMemory from "../../../src/layers/ledger/LedgerMemory.ts"
import * as MemoryTierOff from "../../../src/layers/tiers/MemoryTierOff.ts"
import * as SingleFlightPromise from "../../../src/layers/tiers/SingleFlightPromise.ts"
import { dayMillis } from "../../../src/services/base/model/UtcDay.ts"
import type { FileCatalogError, FileRow, Reservation } from "../../../src/services/files/FileCatalog.ts"
import rows from "../../fixtures/files/catalogue-1.sql?raw"
import { migrated, second } from "../../support/files/migrated.ts"
import { statementsOf } from "../../support/files/statements.ts"
import { runs } from "../../support/runs.ts"

const now = Date.UTC(2026, 10, 27, 12)
const quota = { maxBytes: 1000, maxObjects: 5, maxRequests: 1000 }

let db: D1Database
beforeAll(async () => {
  db = await migrated()
})

const queriesOf = (database: Database | undefined) =>
  QueryCacheD1.make(
    database,
    MemoryTierOff.make(),
    SingleFlightPromise.make(),
    TableVersionsOff.make(),
    LedgerMemory.make(0)
  )

const queries = () => queriesOf(db)

const owner = () => crypto.randomUUID().replaceAll("-", "")

const reservation = (who: string, key: string, bytes: number, more: Partial<Reservation> = {}): Reservation => ({
  id: crypto.randomUUID(),
  owner: who,
  key,
  kind: "put",
  bytes,
  contentType: "text/plain",
  uploadId: undefined,
  fileExpiresAt: undefined,
  createdAt: now,
  expiresAt: now + 60_000,
  ...more
})

const row = (key: string, bytes: number, more: Partial<FileRow> = {}): FileRow => ({
  key,
  bytes,
  storedBytes: Math.ceil(bytes / 2),
  contentType: "text/plain",
  etag: crypto.randomUUID(),
  updatedAt: now,
  expiresAt: undefined,
  ...more
})

const run = <A>(effect: Effect.Effect<A, FileCatalogError>): Promise<A> => Effect.runPromise(effect)

const outcome = (effect: Effect.Effect<unknown, FileCatalogError>): Promise<string> =>
  run(Effect.match(effect, { onFailure: ({ reason }) => reason, onSuccess: () => "done" }) as Effect.Effect<string>)

const report = (who: string, at = now) => run(FileUsageD1.make(queries()).report(who, quota, at))

describe("FileCatalogD1", () => {
  it("requests at once never reserve or store more than the quota, and what is left can be used up", async () => {
    const catalog = FileCatalogD1.make(queries())
    const step = fc.record({ key: fc.constantFrom("a", "b", "c"), bytes: fc.integer({ min: 1, max: 700 }) })
    const rounds = fc.array(fc.array(step, { minLength: 1, maxLength: 6 }), { minLength: 1, maxLength: 4 })
    const property = fc.asyncProperty(rounds, fc.boolean(), async (all, backwards) => {
      const who = owner()
      let at = now
      const expected = new Map<string, number>()
      for (const round of all) {
        at += 1000
        const made = round.map(({ bytes, key }) => reservation(who, key, bytes))
        const outcomes = await Promise.all(made.map((one) => outcome(catalog.reserve([one], quota, at))))
        const taken = made.filter((_, i) => outcomes[i] === "done")
        const held = await report(who, at)
        const replaced = [...new Set(taken.map(({ key }) => key))].reduce(
          (sum, key) => sum + (expected.get(key) ?? 0),
          0
        )
        expect(held.bytes + held.reservedBytes - replaced).toBeLessThanOrEqual(quota.maxBytes)
        const rows = taken.map((one, i) => ({ one, file: row(one.key, one.bytes, { updatedAt: at + i }) }))
        for (const { file, one } of backwards ? [...rows].reverse() : rows) await run(catalog.settle(one, file, at))
        for (const { file } of rows) expected.set(file.key, file.bytes)
        const after = await report(who, at)
        const total = [...expected.values()].reduce((sum, bytes) => sum + bytes, 0)
        expect(after).toMatchObject({ bytes: total, objects: expected.size, reservedBytes: 0 })
        expect(after.bytes).toBeLessThanOrEqual(quota.maxBytes)
      }
    })
    await fc.assert(property, { numRuns: runs(12) })
  })

  it("says whether bytes or objects are over the quota, and takes a batch whole or not at all", async () => {
    const catalog = FileCatalogD1.make(queries())
    const who = owner()
    const names = ["a", "b", "c", "d", "e", "f"]
    const reserve = (...all: ReadonlyArray<Reservation>) => outcome(catalog.reserve(all, quota, now))
    expect(await reserve(reservation(who, "a", 1001))).toBe("OverBytes")
    expect(await reserve(...names.map((key) => reservation(who, key, 1)))).toBe("OverObjects")
    expect((await report(who)).reservedBytes).toBe(0)
    expect(await reserve(...names.slice(1).map((key) => reservation(who, key, 200)))).toBe("done")
    expect(await reserve(reservation(who, "z", 1))).toBe("OverBytes")
    expect(await outcome(catalog.reserve([reservation(who, "z", 1)], quota, now + 60_001))).toBe("done")
  })

  it("a quota of the owner's own goes before everybody's", async () => {
    const catalog = FileCatalogD1.make(queries())
    const who = owner()
    await db.prepare("INSERT INTO owners (owner, max_bytes) VALUES (?, 10)").bind(who).run()
    expect(await outcome(catalog.reserve([reservation(who, "a", 11)], quota, now))).toBe("OverBytes")
    expect(await outcome(catalog.reserve([reservation(who, "a", 10)], quota, now))).toBe("done")
  })

  it("what a link may put stays reserved until it expires, however often it is asked for or used", async () => {
    const catalog = FileCatalogD1.make(queries())
    const who = owner()
    const link = reservation(who, "a", 600, { kind: "link" })
    expect(await outcome(catalog.reserve([link], quota, now))).toBe("done")
    expect(await outcome(catalog.reserve([{ ...link, expiresAt: now + 90_000 }], quota, now))).toBe("done")
    expect((await run(catalog.linksOf(who, 9)))[0]).toStrictEqual({ ...link, expiresAt: now + 90_000 })
    await run(catalog.settle(link, row("a", 600), now))
    expect(await run(catalog.linksOf(who, 9))).toStrictEqual([])
    expect(await report(who)).toMatchObject({ bytes: 600, reservedBytes: 600 })
    await run(catalog.settle(link, row("a", 600), now + 90_000))
    expect(await report(who, now)).toMatchObject({ bytes: 600, reservedBytes: 0 })
  })

  it("lists names in byte order, page by page, under a prefix, without what has expired", async () => {
    const catalog = FileCatalogD1.make(queries())
    const who = owner()
    const large = { ...quota, maxObjects: 100 }
    const put = async (key: string, more: Partial<FileRow> = {}) => {
      const one = reservation(who, key, 1)
      await run(catalog.reserve([one], large, now))
      await run(catalog.settle(one, row(key, 1, more), now))
    }
    for (const key of ["b/2", "a", "b/1", "b", "b/é", "b/\u{1f600}", "c"]) await put(key)
    await put("b/gone", { expiresAt: now - 1 })
    const list = async (prefix: string, after?: string, limit = 9) =>
      (await run(catalog.list(who, { prefix, after, limit }, now))).map(({ key }) => key)
    expect(await list("")).toStrictEqual(["a", "b", "b/1", "b/2", "b/é", "b/\u{1f600}", "c"])
    expect(await list("b/", undefined, 2)).toStrictEqual(["b/1", "b/2"])
    expect(await list("b/", "b/2")).toStrictEqual(["b/é", "b/\u{1f600}"])
    expect((await run(catalog.expired(now, 1000))).some(({ key, owner }) => owner === who && key === "b/gone")).toBe(
      true
    )
    await run(catalog.remove(who, "b/gone", "expire", now))
    await run(catalog.remove(who, "b/gone", "expire", now))
    expect(await report(who)).toMatchObject({ bytes: 7, objects: 7 })
    const audit = await run(FileUsageD1.make(queries()).audit(who, 1))
    expect(audit).toStrictEqual([{ at: now, action: "expire", key: "b/gone", bytes: 1 }])
  })

  it("an upload's parts are known until it is settled", async () => {
    const catalog = FileCatalogD1.make(queries())
    const who = owner()
    const one = reservation(who, "a", 10, { kind: "parts" })
    await run(catalog.reserve([one], quota, now))
    await run(catalog.setUploadId(one.id, "r2"))
    await run(catalog.setPart(one.id, { part: 2, bytes: 4, etag: "x" }))
    await run(catalog.setPart(one.id, { part: 1, bytes: 6, etag: "y" }))
    await run(catalog.setPart(one.id, { part: 2, bytes: 4, etag: "z" }))
    expect(await run(catalog.reservation(who, one.id))).toStrictEqual(Option.some({ ...one, uploadId: "r2" }))
    expect(await run(catalog.reservation("another", one.id))).toStrictEqual(Option.none())
    expect((await run(catalog.parts(one.id))).map(({ etag }) => etag)).toStrictEqual(["y", "z"])
    await run(catalog.settle(one, row("a", 10), now))
    expect(await run(catalog.parts(one.id))).toStrictEqual([])
    expect(await run(catalog.reservation(who, one.id))).toStrictEqual(Option.none())
  })

  it("says what is missing of a database", async () => {
    expect(await outcome(FileCatalogD1.make(queriesOf(undefined)).linksOf("o", 1))).toBe("NotBound")
    const unknown = {
      prepare: () => db.prepare("SELECT * FROM nothing_of_that_name"),
      batch: (all: Array<D1PreparedStatement>) => db.batch(all)
    }
    expect(await outcome(FileSharesD1.make(queriesOf(unknown as never)).list("o", now))).toBe("NotMigrated")
    const broken = { prepare: () => db.prepare("SELECT"), batch: (all: Array<D1PreparedStatement>) => db.batch(all) }
    expect(await outcome(FileSharesD1.make(queriesOf(broken as never)).list("o", now))).toBe("Unavailable")
  })
})

describe("FileUsageD1", () => {
  it("isolates at once never take more requests than the quota of a day, and a new day renews it", async () => {
    const who = owner()
    const isolates = [FileUsageD1.make(queries()), FileUsageD1.make(queries()), FileUsageD1.make(queries())]
    const day = { ...quota, maxRequests: 250 }
    const tries = Array.from({ length: 330 }, (_, i) => isolates[i % 3]!.takeRequest(who, day, now))
    const outcomes = await Promise.all(tries.map(outcome))
    const done = outcomes.filter((it) => it === "done").length
    expect(outcomes.every((it) => it === "done" || it === "OverRequests")).toBe(true)
    expect(done).toBeLessThanOrEqual(250)
    expect(done).toBeGreaterThan(240)
    expect(await outcome(isolates[0]!.takeRequest(who, day, now + dayMillis))).toBe("done")
  })

  it("writes a row for a block of requests, and reports what is not written yet", async () => {
    const who = owner()
    const usage = FileUsageD1.make(queries())
    const day = { ...quota, maxRequests: 1_000_000 }
    for (let i = 0; i < 150; i++) {
      await run(usage.takeRequest(who, day, now))
      usage.count(who, 10, 1)
    }
    const stored = await db.prepare("SELECT requests FROM usage WHERE owner = ?").bind(who).first<number>("requests")
    expect(stored).toBe(100)
    const { hours, requestsToday } = await run(usage.report(who, day, now))
    expect(requestsToday).toBe(200)
    expect(hours).toStrictEqual([{ hour: now / 3_600_000, requests: 150, bytesIn: 1500, bytesOut: 150 }])
  })
})

describe("FileSharesD1", () => {
  it("a share is found until it expires or its owner withdraws it", async () => {
    const shares = FileSharesD1.make(queries())
    const who = owner()
    const share = { id: crypto.randomUUID(), owner: who, key: "a", createdAt: now, expiresAt: now + 1000 }
    await run(shares.create(share))
    expect(await run(shares.find(share.id, now + 999))).toStrictEqual(Option.some(share))
    expect(await run(shares.find(share.id, now + 1000))).toStrictEqual(Option.none())
    expect(await run(shares.list(who, now))).toStrictEqual([share])
    expect(await run(shares.withdraw("another", share.id))).toBe(false)
    expect(await run(shares.withdraw(who, share.id))).toBe(true)
    expect(await run(shares.find(share.id, now))).toStrictEqual(Option.none())
  })
})

describe("a catalogue as the first migration had it", () => {
  it("is read after the second: files, what is reserved, parts, shares, what was used and done", async () => {
    const who = "fixture-1"
    // Others use this database, too: what the second migration does to rows that are there, it does to these alone.
    const counted = statementsOf(second).filter((statement) => statement.startsWith("UPDATE owners"))
    expect(counted.length).toBe(1)
    const statements = [...statementsOf(rows), ...counted.map((statement) => `${statement} WHERE owner = '${who}'`)]
    await db.batch(statements.map((statement) => db.prepare(statement)))
    const catalog = FileCatalogD1.make(queries())
    const listed = await run(catalog.list(who, { prefix: "", after: undefined, limit: 10 }, now))
    expect(listed.map(({ bytes, expiresAt, key, storedBytes }) => [key, bytes, storedBytes, expiresAt])).toStrictEqual([
      ["a.txt", 5, 3, undefined],
      ["ü/b.csv", 4, 4, 1_800_000_000_000]
    ])
    const upload = "fixture-1-upload"
    expect(await run(catalog.reservation(who, upload))).toMatchObject({ value: { kind: "parts", uploadId: "r2" } })
    expect(await run(catalog.parts(upload))).toStrictEqual([{ part: 1, bytes: 50, etag: "p1" }])
    expect(await run(FileSharesD1.make(queries()).list(who, now))).toMatchObject([{ key: "a.txt" }])
    const usage = FileUsageD1.make(queries())
    expect(await run(usage.audit(who, 10))).toMatchObject([{ action: "put", key: "a.txt", bytes: 5 }])
    expect(await report(who)).toMatchObject({ bytes: 9, storedBytes: 7, objects: 2, reservedBytes: 100 })
    expect((await report(who, 472_222 * 3_600_000)).hours).toStrictEqual([
      { hour: 472_222, requests: 5, bytesIn: 9, bytesOut: 3 }
    ])
  })
})
