import type * as Context from "effect/Context"
import { sameBytes } from "../../../services/base/model/ByteCodec.ts"
import type { Seal } from "../../../services/durable/model/Topology.ts"
import {
  clockSkewMillis,
  isFirst,
  later,
  nextStamp,
  type Shard,
  type ShardRow,
  type ShardWrite,
  type ShardWritten,
  stampsAhead,
  versionFor
} from "../../../services/durable/Shard.ts"
import { compareStamps, type Stamp, zeroStamp } from "../../../services/store/model/Entry.ts"
import { makeCaptures } from "./shardCaptures.ts"
import { makeChanges } from "./shardChanges.ts"
import { makeLeaseTable } from "./shardLeaseTable.ts"
import { makeMarks } from "./shardMarks.ts"
import { headOf, type RowHead, type ShardRows } from "./shardRows.ts"
import { makeSweep } from "./shardSweep.ts"

/** The rules of a shard over whatever keeps its rows. */
export const makeShard = (kept: ShardRows): Context.Tag.Service<Shard> => {
  const { capture, rows } = makeCaptures(kept)
  // Numbers of an earlier life must mean nothing in this one.
  const base = Math.floor(Math.random() * 2 ** 40)
  const leases = makeLeaseTable(base)
  const marks = makeMarks(rows)
  const changes = makeChanges(rows, base)
  const sweep = makeSweep(rows, marks, changes)
  let latest = zeroStamp
  let seal: Seal | undefined
  let sealKnown = false
  let life: number | undefined

  const isLiving = (row: RowHead, now: number): boolean =>
    row.body !== undefined && now < row.body.expiresAt && !marks.endsEntry(row)

  const transaction = <A>(body: () => A): A => {
    const undo = changes.begin()
    try {
      return rows.transaction(body)
    } catch (cause) {
      undo()
      marks.forget()
      sweep.expectAtOnce()
      throw cause
    }
  }

  const put = (row: Parameters<ShardRows["write"]>[0], before: RowHead | undefined): void => {
    rows.write(row, before)
    latest = later(latest, row.version)
    changes.changed()
    changes.resized(before, headOf(row))
    sweep.expect(row)
    leases.end(row.id)
  }

  const isSame = (body: ShardWrite["body"], row: RowHead | undefined, now: number): boolean => {
    if (body === undefined) return row !== undefined && row.body === undefined
    if (row?.body === undefined || !isLiving(row, now)) return false
    const { contentType, expiresAt, tags } = row.body
    if (body.contentType !== contentType || body.expiresAt !== expiresAt) return false
    if (body.tags.length !== tags.length || body.tags.some((tag, i) => tag !== tags[i])) return false
    return body.value.byteLength === row.bytes && sameBytes(body.value, rows.read(row.id)!.body!.value)
  }

  const applyOne = (write: ShardWrite, now: number, floor = zeroStamp): ShardWritten => {
    const { body, id, lease } = write
    const row = rows.head(id)
    const replaced = row !== undefined && isLiving(row, now)
    const settled = (outcome: ShardWritten["outcome"]): ShardWritten => ({
      outcome,
      version: row?.version ?? zeroStamp,
      replaced
    })
    if (lease !== undefined && !leases.holds(id, lease, now)) return settled("overtaken")
    const ordered = lease === undefined ? write : { ...write, firstUntil: now }
    if (row !== undefined && !isFirst(ordered, now) && isClose(write.stamp, row.version)) changes.conflicted()
    const next = versionFor(ordered, row, now, later(floor, marks.latest(body?.tags ?? [])))
    if (next === undefined) return settled(isSame(body, row, now) ? "unchanged" : "overtaken")
    if (body !== undefined && isFirst(ordered, now) && isSame(body, row, now)) return settled("unchanged")
    put({ id, body, ...next, deletedAt: body === undefined ? now : 0 }, row)
    const ended = body !== undefined && marks.endsEntry({ version: next.version, body })
    return { outcome: ended ? "ended" : "applied", version: next.version, replaced }
  }

  const living = (prefix: string, after: string | undefined, limit: number, now: number): ReadonlyArray<RowHead> => {
    const found: Array<RowHead> = []
    let last = after
    while (found.length < limit) {
      const asked = limit - found.length
      const page = rows.page(prefix, last, asked)
      for (const row of page) if (isLiving(row, now)) found.push(row)
      if (page.length < asked) break
      last = page.at(-1)!.id
    }
    return found
  }

  return {
    getMany: (ids, now) => {
      let hits = 0
      const entries = ids.map((id) => {
        const row = rows.read(id)
        if (row?.body === undefined || !isLiving(headOf(row), now)) return undefined
        hits += 1
        return { ...row.body, stamp: row.version }
      })
      changes.wereRead(ids.length, hits)
      return entries
    },
    apply: (writes, now, floor) => transaction(() => writes.map((write) => applyOne(write, now, floor))),
    invalidateTags: (tags, stamp, now, floor = zeroStamp) =>
      transaction(() => {
        latest = later(later(latest, floor), marks.above(now))
        const arrived = later(stamp, { wall: now, counter: 0, writer: "" })
        const mark = compareStamps(arrived, latest) > 0 ? arrived : nextStamp(latest, stamp.writer)
        latest = mark
        for (const tag of new Set(tags)) {
          marks.write(tag, mark)
          changes.changed()
        }
        sweep.expectAtOnce()
        leases.endAll()
        return mark
      }),
    lease: (id, until, now) => {
      const row = rows.head(id)
      return row !== undefined && isLiving(row, now) ? undefined : leases.take(id, until, now)
    },
    release: leases.release,
    list: (prefix, after, limit, now) =>
      living(prefix, after, limit, now).map(({ body, id }) => ({ id, expiresAt: body!.expiresAt, tags: body!.tags })),
    clear: (prefix, stamp, limit, now) =>
      transaction(() => {
        const ended = living(prefix, undefined, limit, now)
        for (const { id } of ended) applyOne({ id, stamp, body: undefined, firstUntil: now }, now)
        leases.endAll(prefix)
        return ended.length
      }),
    sweep: (limit, now) => transaction(() => sweep.run(limit, now)),
    dirty: changes.dirty,
    capture: () => capture(changes.mark()),
    clean: (mark) => transaction(() => changes.clean(mark)),
    merge: (image) =>
      transaction(() => {
        for (const [tag, mark] of image.tags) {
          if (compareStamps(mark, marks.of(tag)) <= 0) continue
          marks.write(tag, mark)
          latest = later(latest, mark)
          changes.changed()
        }
        let taken = 0
        for (const row of image.rows) {
          const before = rows.head(row.id)
          if (before !== undefined && compareStamps(row.version, before.version) <= 0) continue
          put({ ...row, ahead: stampsAhead([...row.ahead, ...(before?.ahead ?? [])], row.version) }, before)
          taken += 1
        }
        sweep.expectAtOnce()
        leases.endAll()
        return taken
      }),
    rowsAfter: (after, limit, bytes, now) => {
      const found: Array<ShardRow> = []
      let last: string | undefined
      let size = 0
      for (const head of rows.page("", after, limit)) {
        if (size > bytes) break
        last = head.id
        if (head.body !== undefined && !isLiving(head, now)) continue
        size += head.bytes
        found.push(rows.read(head.id)!)
      }
      return { rows: found, last }
    },
    marks: rows.marks,
    drop: (limit) =>
      transaction(() => {
        const page = rows.page("", undefined, limit)
        for (const row of page) {
          rows.remove(row)
          changes.resized(row, undefined)
        }
        const over = page.length < limit ? [...rows.marks().keys()] : []
        for (const tag of over) marks.remove(tag)
        if (page.length + over.length > 0) changes.changed()
        sweep.expectAtOnce()
        leases.endAll()
        return page.length
      }),
    seal: () => {
      if (!sealKnown) seal = rows.note("seal") as Seal | undefined
      sealKnown = true
      return seal
    },
    setSeal: (next) => {
      rows.saveNote("seal", next)
      seal = next
      sealKnown = true
    },
    life: () => {
      life ??= rows.note("life") as number | undefined
      if (life === undefined) {
        life = Math.floor(Math.random() * 2 ** 48)
        rows.saveNote("life", life)
      }
      return life
    },
    billed: changes.billed,
    stats: changes.stats
  }
}

/** Whether two writers' stamps are too close for their clocks to say which one is later. */
const isClose = (a: Stamp, b: Stamp): boolean => a.writer !== b.writer && Math.abs(a.wall - b.wall) <= clockSkewMillis
