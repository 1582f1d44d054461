import type * as Context from "effect/Context"
import { sameBytes } from "../../../../services/base/model/ByteCodec.ts"
import { type Conditions, evaluate, evaluateAbsent } from "../../../../services/base/model/Preconditions.ts"
import type { Seal } from "../../../../services/durable/model/Topology.ts"
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
} from "../../../../services/durable/Shard.ts"
import { entityTag } from "../../../../services/store/model/EntityTag.ts"
import {
  collectionTag,
  compareStamps,
  type Entry,
  type Stamp,
  zeroStamp
} from "../../../../services/store/model/Entry.ts"
import { tagBytes } from "../../../../services/store/model/EntryBytes.ts"
import { makeChanges } from "./shardChanges.ts"
import { makeLeaseTable } from "./shardLeaseTable.ts"
import { makeList } from "./shardList.ts"
import { makeMarks } from "./shardMarks.ts"
import { makePackedRows, type PagingOptions } from "./shardPages.ts"
import { headOf, type RowHead, type ShardRows } from "./shardRows.ts"
import { makeSource } from "./shardSource.ts"
import { makeSweep } from "./shardSweep.ts"

/** The rules of a shard over whatever keeps its rows. */
export const makeShard = (kept: ShardRows, paging?: PagingOptions): Context.Tag.Service<Shard> => {
  const rows = makePackedRows(kept, paging)
  // Numbers of an earlier life must mean nothing in this one.
  const base = Math.floor(Math.random() * 2 ** 40)
  const leases = makeLeaseTable(base)
  const marks = makeMarks(rows)
  const changes = makeChanges(rows, base)
  const { tracking } = changes
  let latest = zeroStamp
  let seal: Seal | undefined
  let sealKnown = false
  let diskId: number | undefined

  const isLiving = (row: RowHead, now: number): boolean =>
    row.body !== undefined && now < row.body.expiresAt && !marks.endsEntry(row)

  const transaction = <A>(body: () => A): A => {
    const undo = changes.begin()
    try {
      return rows.transaction(() => {
        const result = body()
        changes.settle()
        return result
      })
    } catch (cause) {
      undo()
      marks.forget()
      sweep.forget()
      throw cause
    }
  }

  const put = (row: Parameters<ShardRows["write"]>[0], before: RowHead | undefined): void => {
    const since = tracking.sinceOf(before)
    rows.write(row, before, since)
    marks.noteHashes(row.body?.tags)
    latest = later(latest, row.version)
    changes.changed("rows", row.id)
    changes.resized(before, headOf(row, since))
    sweep.expect(row)
    leases.end(row.id)
  }

  const mark = (tag: string, stamp: Stamp): void => {
    marks.write(tag, stamp, tracking.markSince())
    changes.changed("marks", tag)
  }

  /** What is over. */
  const drop = (row: RowHead, now: number): void => {
    if (tracking.isShadowing(row) && row.body !== undefined) {
      const { id, version } = row
      const since = tracking.sinceOf(row)
      const tombstone: ShardRow = { id, version, ahead: [], deletedAt: now, body: undefined, ...packedAs(row) }
      rows.write(tombstone, row, since)
      tracking.touch("rows", id)
      changes.resized(row, headOf(tombstone, since))
      sweep.expect(tombstone)
    } else {
      rows.remove(row)
      changes.resized(row, undefined)
    }
  }

  const sweep = makeSweep(rows, marks, drop)

  const isSame = (body: ShardWrite["body"], row: RowHead | undefined, now: number): boolean => {
    if (body === undefined) return row !== undefined && row.body === undefined
    if (row?.body === undefined || !isLiving(row, now)) return false
    const { contentType, expiresAt, tags } = row.body
    if (body.contentType !== contentType || body.expiresAt !== expiresAt) return false
    if (body.tags.length !== tags.length || body.tags.some((tag, i) => tag !== tags[i])) return false
    return body.value.byteLength === row.bytes && sameBytes(body.value, rows.read(row.id)!.body!.value)
  }

  /** @param row undefined where there is no living entry */
  const holds = (condition: Conditions, row: RowHead | undefined): boolean =>
    (row === undefined
      ? evaluateAbsent(condition)
      : evaluate(condition, "PUT", {
          get etag() {
            return entityTag(rows.read(row.id)!.body!)
          },
          modifiedAt: row.version.wall || undefined
        })) === "proceed"

  const applyOne = (write: ShardWrite, now: number, floor = zeroStamp): ShardWritten => {
    const { body, condition, id, ifWanted, lease } = write
    const row = rows.head(id)
    const replaced = row !== undefined && isLiving(row, now)
    const settled = (outcome: ShardWritten["outcome"]): ShardWritten => ({
      outcome,
      version: row?.version ?? zeroStamp,
      replaced
    })
    if (lease !== undefined && !leases.holds(id, lease, now)) return settled("overtaken")
    if (lease !== undefined && ifWanted === true) {
      leases.release(id, lease)
      return settled("unwanted")
    }
    if (condition !== undefined) {
      if (!isFirst(write, now)) return settled("overtaken")
      if (!holds(condition, replaced ? row : undefined)) return settled("unmet")
    }
    const ordered = lease === undefined ? write : { ...write, firstUntil: now }
    if (row !== undefined && !isFirst(ordered, now) && isClose(write.stamp, row.version)) changes.conflicted()
    const next = versionFor(ordered, row, now, later(floor, marks.latest([collectionTag(id), ...(body?.tags ?? [])])))
    if (next === undefined) return settled(isSame(body, row, now) ? "unchanged" : "overtaken")
    if (body !== undefined && isFirst(ordered, now) && isSame(body, row, now)) return settled("unchanged")
    if (body !== undefined && body.value.byteLength > (row?.bytes ?? 0) && rows.isFull()) return settled("full")
    const packed = write.packed ?? row?.packed ?? false
    put({ id, body, ...next, deletedAt: body === undefined ? now : 0, ...packedAs({ packed }) }, row)
    const ended = body !== undefined && marks.endsEntry({ id, version: next.version, body })
    return { outcome: ended ? "ended" : "applied", version: next.version, replaced }
  }

  /** Ends what carries one of the tags. */
  const end = (tags: Iterable<string>, stamp: Stamp, now: number, floor: Stamp): Stamp => {
    latest = later(later(latest, floor), marks.above(now))
    const arrived = later(stamp, { wall: now, counter: 0, writer: "" })
    const set = compareStamps(arrived, latest) > 0 ? arrived : nextStamp(latest, stamp.writer)
    latest = set
    for (const tag of marks.formsOf(tags)) mark(tag, set)
    sweep.expectAtOnce()
    return set
  }

  return {
    getMany: (ids, now) => {
      let hits = 0
      const entries = ids.map((id) => {
        const row = rows.read(id)
        if (row?.body === undefined || !isLiving(headOf(row, 0), now)) return undefined
        hits += 1
        return { ...row.body, stamp: row.version }
      })
      changes.wereRead(ids.length, hits)
      return entries
    },
    beside: (ids, now) => {
      const found = new Map<string, Entry>()
      for (const id of ids) {
        for (const row of rows.beside(id)) {
          if (row.body !== undefined && isLiving(headOf(row, 0), now)) {
            found.set(row.id, { ...row.body, stamp: row.version })
          }
        }
      }
      for (const id of ids) found.delete(id)
      return Array.from(found, ([id, entry]) => ({ id, entry }))
    },
    apply: (writes, now, floor) => transaction(() => writes.map((write) => applyOne(write, now, floor))),
    invalidateTags: (tags, stamp, now, floor = zeroStamp) =>
      transaction(() => {
        const set = end(new Set(tags), stamp, now, floor)
        leases.endAll()
        return set
      }),
    lease: (id, until, now) => {
      const row = rows.head(id)
      return row !== undefined && isLiving(row, now) ? undefined : leases.take(id, until, now)
    },
    release: leases.release,
    list: makeList(rows, isLiving),
    clear: (prefix, stamp, now, floor = zeroStamp) =>
      transaction(() => {
        const set = end([collectionTag(prefix)], stamp, now, floor)
        leases.endAll(prefix)
        return set
      }),
    sweep: (limit, now) => transaction(() => sweep.run(limit, now)),
    dirty: changes.dirty,
    source: makeSource(rows, changes, transaction, (row, now) => row.body === undefined || isLiving(row, now)),
    merge: (image) =>
      transaction(() => {
        for (const [tag, stamp] of image.tags) {
          if (compareStamps(stamp, marks.of(tag)) <= 0) continue
          mark(tag, stamp)
          latest = later(latest, stamp)
        }
        let taken = 0
        for (const row of image.rows) {
          const before = rows.head(row.id)
          if (before !== undefined && !isAfter(row, before)) continue
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
        size += head.bytes + tagBytes(head.body?.tags ?? [])
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
        tracking.forget()
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
    diskId: () => {
      diskId ??= rows.note("life") as number | undefined
      if (diskId === undefined) {
        diskId = Math.floor(Math.random() * 2 ** 48)
        rows.saveNote("life", diskId)
      }
      return diskId
    },
    billed: changes.billed,
    stats: changes.stats
  }
}

const packedAs = ({ packed }: Pick<RowHead, "packed">) => (packed ? { packed } : {})

/** Whether two writers' stamps are too close for their clocks to say which one is later. */
const isClose = (a: Stamp, b: Stamp): boolean => a.writer !== b.writer && Math.abs(a.wall - b.wall) <= clockSkewMillis

/** Of one delete that was taken twice, the tombstone that is kept for longer: whatever the order of merges, it is left. */
const isAfter = (row: ShardRow, before: RowHead): boolean => {
  const order = compareStamps(row.version, before.version)
  return order > 0 || (order === 0 && row.deletedAt > before.deletedAt)
}
