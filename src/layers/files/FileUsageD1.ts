import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { dayOf } from "../../services/base/model/UtcDay.ts"
import { QueryCache } from "../../services/database/QueryCache.ts"
import { FileCatalogError } from "../../services/files/FileCatalog.ts"
import { FileUsage, type UsageReport } from "../../services/files/FileUsage.ts"
import { auditSql } from "./FileCatalogD1.ts"
import { inCatalog } from "./internal/catalogErrors.ts"

const hourMillis = 3_600_000

/** Requests that an isolate takes from a quota at a time: a row written for so many requests. */
const blockRequests = 100

/** Owners that an isolate counts for at once; the longest unseen goes first, and what it has left with it. */
const maxOwners = 1000

/** Hours that a report covers. */
const reportHours = 48

type Numbers = { readonly [column: string]: number | null }

interface AuditColumns {
  readonly at: number
  readonly action: string
  readonly key: string
  readonly bytes: number | null
}

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

export const make = (queries: Context.Tag.Service<QueryCache>): Context.Tag.Service<FileUsage> => {
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
  const takeBlock = (owner: string, account: Account, size: number, max: number, now: number) =>
    Effect.suspend(() => {
      const { bytesIn, bytesOut, requests } = account
      Object.assign(account, { bytesIn: 0, bytesOut: 0, requests: 0 })
      const hour = Math.floor(now / hourMillis)
      return queries
        .write([
          { sql: takeSql, bound: [owner, dayOf(now), size, max] },
          ...(requests + bytesIn + bytesOut === 0
            ? []
            : [{ sql: usageSql, bound: [owner, hour, requests, bytesIn, bytesOut] }])
        ])
        .pipe(
          Effect.map(([taken]) => taken!.changes > 0),
          Effect.onError(() =>
            Effect.sync(() => {
              account.bytesIn += bytesIn
              account.bytesOut += bytesOut
              account.requests += requests
            })
          )
        )
    })

  return {
    takeRequest: (owner, { maxRequests }, now) =>
      Effect.suspend(() => {
        const account = accountOf(owner, dayOf(now))
        if (account.left > 0) {
          account.left -= 1
          account.requests += 1
          return Effect.void
        }
        const block = Math.max(1, Math.min(blockRequests, Math.floor(maxRequests / blockRequests)))
        const take = Effect.gen(function* () {
          for (const size of block === 1 ? [1] : [block, 1]) {
            if (yield* takeBlock(owner, account, size, maxRequests, now)) account.left += size
            // Where the quota is spent, requests at once may have left over what they took.
            if (account.left === 0) continue
            account.left -= 1
            account.requests += 1
            return
          }
          return yield* new FileCatalogError({ operation: "takeRequest", reason: "OverRequests" })
        })
        return inCatalog("takeRequest", take)
      }),

    count: (owner, bytesIn, bytesOut) => {
      const account = accounts.get(owner)
      if (account === undefined) return
      account.bytesIn += bytesIn
      account.bytesOut += bytesOut
    },

    record: (owner, { action, at, bytes, key }) =>
      inCatalog(
        "record",
        Effect.asVoid(queries.write([{ sql: auditSql, bound: [at, owner, action, key, bytes ?? null] }]))
      ),

    report: (owner, quota, now) =>
      Effect.gen(function* () {
        const [own, held, hours] = yield* inCatalog(
          "report",
          Effect.all(
            [
              queries.read<Numbers>({ sql: "SELECT * FROM owners WHERE owner = ?", bound: [owner] }),
              queries.read<Numbers>({
                sql: "SELECT coalesce(sum(bytes), 0) AS bytes FROM uploads WHERE owner = ? AND expires_at > ?",
                bound: [owner, now]
              }),
              queries.read<Numbers>({
                sql: "SELECT * FROM usage WHERE owner = ? ORDER BY hour DESC LIMIT ?",
                bound: [owner, reportHours]
              })
            ],
            { concurrency: "unbounded" }
          )
        )
        const row = own.rows[0]
        const account = accounts.get(owner)
        const hour = Math.floor(now / hourMillis)
        const known = hours.rows.map((one) => ({
          hour: one.hour!,
          requests: one.requests!,
          bytesIn: one.bytes_in!,
          bytesOut: one.bytes_out!
        }))
        return {
          bytes: row?.bytes ?? 0,
          storedBytes: row?.stored_bytes ?? 0,
          objects: row?.objects ?? 0,
          reservedBytes: held.rows[0]?.bytes ?? 0,
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
      inCatalog(
        "audit",
        Effect.map(
          queries.read<AuditColumns>({
            sql: "SELECT at, action, key, bytes FROM audit WHERE owner = ? ORDER BY at DESC, id DESC LIMIT ?",
            bound: [owner, limit]
          }),
          ({ rows }) => rows.map(({ bytes, ...row }) => ({ ...row, bytes: bytes ?? undefined }))
        )
      )
  }
}

export const layer: Layer.Layer<FileUsage, never, QueryCache> = Layer.effect(FileUsage, Effect.map(QueryCache, make))

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
