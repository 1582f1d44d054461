import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { dayOf } from "../../services/base/model/UtcDay.ts"
import { FileCatalogError } from "../../services/files/FileCatalog.ts"
import { FileUsage, type UsageReport } from "../../services/files/FileUsage.ts"
import { auditSql } from "./FileCatalogD1.ts"
import { asking, type Database } from "./internal/d1.ts"

const hourMillis = 3_600_000

/** Requests that an isolate takes from a quota at a time: a row written for so many requests. */
const blockRequests = 100

/** Owners that an isolate counts for at once; the longest unseen goes first, and what it has left with it. */
const maxOwners = 1000

/** Hours that a report covers. */
const reportHours = 48

interface Account {
  day: number
  left: number
  requests: number
  bytesIn: number
  bytesOut: number
}

/** ?1 owner, ?2 day, ?3 requests, ?4 the quota where the owner has none of its own. */
const takeSql = `
INSERT INTO owners (owner, request_day, requests) SELECT ?1, ?2, ?3 WHERE ?3 <= ?4
ON CONFLICT (owner) DO UPDATE SET
  requests = CASE WHEN request_day = ?2 THEN requests ELSE 0 END + ?3, request_day = ?2
WHERE CASE WHEN request_day = ?2 THEN requests ELSE 0 END + ?3 <= coalesce(max_requests, ?4)`

const usageSql = `
INSERT INTO usage (owner, hour, requests, bytes_in, bytes_out) VALUES (?1, ?2, ?3, ?4, ?5)
ON CONFLICT (owner, hour) DO UPDATE SET requests = requests + excluded.requests,
  bytes_in = bytes_in + excluded.bytes_in, bytes_out = bytes_out + excluded.bytes_out`

export const make = (database: Database | undefined): Context.Tag.Service<FileUsage> => {
  const accounts = new Map<string, Account>()

  const accountOf = (owner: string, day: number): Account => {
    let account = accounts.get(owner) ?? { day, left: 0, requests: 0, bytesIn: 0, bytesOut: 0 }
    if (account.day !== day) account = { ...account, day, left: 0 }
    accounts.delete(owner)
    accounts.set(owner, account)
    if (accounts.size > maxOwners) accounts.delete(accounts.keys().next().value!)
    return account
  }

  /** What was counted goes along with the block; it is counted again if the write fails. */
  const takeBlock = async (db: Database, owner: string, account: Account, size: number, max: number, now: number) => {
    const { bytesIn, bytesOut, requests } = account
    Object.assign(account, { bytesIn: 0, bytesOut: 0, requests: 0 })
    try {
      const [taken] = await db.batch([
        db.prepare(takeSql).bind(owner, dayOf(now), size, max),
        ...(requests + bytesIn + bytesOut === 0
          ? []
          : [db.prepare(usageSql).bind(owner, Math.floor(now / hourMillis), requests, bytesIn, bytesOut)])
      ])
      return taken!.meta.changes > 0
    } catch (cause) {
      account.bytesIn += bytesIn
      account.bytesOut += bytesOut
      account.requests += requests
      throw cause
    }
  }

  return {
    takeRequest: (owner, { maxRequests }, now) =>
      Effect.suspend(() => {
        const account = accountOf(owner, dayOf(now))
        if (account.left > 0) {
          account.left -= 1
          account.requests += 1
          return Effect.void
        }
        return asking(database, "takeRequest", async (db) => {
          const block = Math.max(1, Math.min(blockRequests, Math.floor(maxRequests / blockRequests)))
          for (const size of block === 1 ? [1] : [block, 1]) {
            if (await takeBlock(db, owner, account, size, maxRequests, now)) account.left += size
            // Where the quota is spent, requests at once may have left over what they took.
            if (account.left === 0) continue
            account.left -= 1
            account.requests += 1
            return
          }
          throw new FileCatalogError({ operation: "takeRequest", reason: "OverRequests" })
        })
      }),

    count: (owner, bytesIn, bytesOut) => {
      const account = accounts.get(owner)
      if (account === undefined) return
      account.bytesIn += bytesIn
      account.bytesOut += bytesOut
    },

    record: (owner, { action, at, bytes, key }) =>
      asking(database, "record", async (db) => {
        await db
          .prepare(auditSql)
          .bind(at, owner, action, key, bytes ?? null)
          .run()
      }),

    report: (owner, quota, now) =>
      asking(database, "report", async (db): Promise<UsageReport> => {
        const [own, held, stored, hours] = await db.batch<Record<string, number | null>>([
          db.prepare("SELECT * FROM owners WHERE owner = ?").bind(owner),
          db
            .prepare("SELECT coalesce(sum(bytes), 0) AS bytes FROM uploads WHERE owner = ? AND expires_at > ?")
            .bind(owner, now),
          db.prepare("SELECT coalesce(sum(stored_bytes), 0) AS bytes FROM files WHERE owner = ?").bind(owner),
          db.prepare("SELECT * FROM usage WHERE owner = ? ORDER BY hour DESC LIMIT ?").bind(owner, reportHours)
        ])
        const row = own!.results[0]
        const account = accounts.get(owner)
        const hour = Math.floor(now / hourMillis)
        const known = hours!.results.map((one) => ({
          hour: one.hour!,
          requests: one.requests!,
          bytesIn: one.bytes_in!,
          bytesOut: one.bytes_out!
        }))
        return {
          bytes: row?.bytes ?? 0,
          storedBytes: stored!.results[0]?.bytes ?? 0,
          objects: row?.objects ?? 0,
          reservedBytes: held!.results[0]?.bytes ?? 0,
          quota: {
            maxBytes: row?.max_bytes ?? quota.maxBytes,
            maxObjects: row?.max_objects ?? quota.maxObjects,
            maxRequests: row?.max_requests ?? quota.maxRequests
          },
          requestsToday: row?.request_day === dayOf(now) ? (row.requests ?? 0) : 0,
          hours: account === undefined ? known : withPending(known, hour, account)
        }
      }),

    audit: (owner, limit) =>
      asking(database, "audit", async (db) => {
        const { results } = await db
          .prepare("SELECT at, action, key, bytes FROM audit WHERE owner = ? ORDER BY at DESC, id DESC LIMIT ?")
          .bind(owner, limit)
          .all<{ readonly at: number; readonly action: string; readonly key: string; readonly bytes: number | null }>()
        return results.map(({ bytes, ...row }) => ({ ...row, bytes: bytes ?? undefined }))
      })
  }
}

export const layer = (database: Database | undefined): Layer.Layer<FileUsage> =>
  Layer.sync(FileUsage, () => make(database))

// internal

/** The hours as written, and what this isolate has counted since. */
const withPending = (hours: UsageReport["hours"], hour: number, account: Account): UsageReport["hours"] => {
  const [first, ...rest] = hours[0]?.hour === hour ? hours : [{ hour, requests: 0, bytesIn: 0, bytesOut: 0 }, ...hours]
  const { bytesIn, bytesOut, requests } = account
  return [
    {
      hour,
      requests: first!.requests + requests,
      bytesIn: first!.bytesIn + bytesIn,
      bytesOut: first!.bytesOut + bytesOut
    },
    ...rest
  ]
}
