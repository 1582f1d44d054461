import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Exit from "effect/Exit"
import * as Option from "effect/Option"
import * as KvMetered from "../src/layers/kv/KvMetered.ts"
import * as LedgerMemory from "../src/layers/ledger/LedgerMemory.ts"
import { makePackedEntries } from "../src/layers/routing/packedEntries.ts"
import * as KvSimulated from "../src/layers/simulation/KvSimulated.ts"
import * as VirtualTime from "../src/layers/simulation/VirtualTime.ts"
import * as Random from "../src/services/base/model/Random.ts"
import type { StampedWrite } from "../src/services/batching/Batcher.ts"
import type { Kv } from "../src/services/kv/Kv.ts"
import { pageKey } from "../src/services/kv/model/PhysicalKey.ts"
import { usdOf } from "../src/services/ledger/Ledger.ts"
import { decode, encode, entryIn, merge, newName, type Page, type PageRow } from "../src/services/packing/model/Page.ts"
import { defaults } from "../src/services/settings/Settings.ts"
import { define } from "../src/services/store/model/Collection.ts"
import { compareStamps } from "../src/services/store/model/Entry.ts"
import { addressOf } from "../src/services/tiers/ReadPath.ts"

/**
 * KV operations of a packed collection that is written behind: its pages, against log segments (one new key a flush)
 * that a manifest names until they are compacted into pages. An hour; one isolate at a time writes, each for 15
 * minutes, and one in another location reads a random key a second with a memory of 60 s for all that came along.
 * The segments are given what they would not have: one ttl class, a manifest that tells every key of its segments and
 * that readers use for a minute, and segments that readers hold for ever. `npm run bench -- segments`
 */
const collection = define("log", { packed: true, write: "behind", ttl: "1 day", jitter: 0 })
const hour = 3_600_000
const isolateLife = 900_000
const memoryMillis = 60_000
const baseMillis = 10_000
/** Segments that a manifest names before they are compacted. */
const mostSegments = 8
const valueBytes = 300

interface Format {
  readonly flush: (writes: ReadonlyArray<StampedWrite>) => Effect.Effect<void, unknown>
  /** The key's value, and into `memory` all that came along. */
  readonly read: (key: string, memory: Map<string, Held>) => Effect.Effect<Uint8Array | undefined, unknown>
}

interface Held {
  readonly value: Uint8Array
  readonly until: number
}

const pages = (kv: Kv["Type"]): Format => {
  const entries = makePackedEntries(kv, defaults)
  return {
    flush: (writes) =>
      Effect.flatMap(Clock.currentTimeMillis, (now) =>
        Effect.flatMap(entries.writeMany(writes, now), (errors) => {
          const error = errors.find((one) => one !== undefined)
          return error === undefined ? Effect.void : Effect.fail(error)
        })
      ),
    read: (key, memory) =>
      Effect.map(entries.readMany([addressOf(collection, key)]), ({ observations, siblings }) => {
        const keep = (name: string, value: Uint8Array, readAt: number) =>
          memory.set(name, { value, until: readAt + memoryMillis })
        for (const { address, observation } of siblings) keep(address.key, observation.entry!.value, observation.readAt)
        const [found] = observations
        if (found?.entry !== undefined) keep(key, found.entry.value, found.readAt)
        return found?.entry?.value
      })
  }
}

/** A manifest is a page without rows: each of its ranges is a segment, `from` its keys. */
const segments = (kv: Kv["Type"], draw: () => number): Format => {
  const below = pages(kv)
  const held = new Map<string, ReadonlyArray<PageRow>>()
  let manifest: { readonly page: Page; readonly readAt: number } | undefined

  const get = (name: string) =>
    Effect.map(kv.get(pageKey(collection.name, name)), (stored) =>
      Option.match(stored, {
        onNone: (): Page => ({ rows: [], ranges: [] }),
        onSome: ({ value }) => Either.getOrThrow(decode(value))
      })
    )
  const put = (name: string, page: Page, expirationTtl?: number) =>
    kv.put(
      pageKey(collection.name, name),
      Either.getOrThrow(encode(page)),
      expirationTtl === undefined ? {} : { expirationTtl }
    )
  const known = (maxAge: number) =>
    Effect.flatMap(Clock.currentTimeMillis, (now) => {
      if (manifest !== undefined && now - manifest.readAt < maxAge) return Effect.succeed(manifest)
      return Effect.map(get("manifest"), (page) => {
        manifest = { page, readAt: now }
        return manifest
      })
    })
  const segment = (name: string) => {
    const rows = held.get(name)
    if (rows !== undefined) return Effect.succeed(rows)
    return Effect.map(get(name), (page) => {
      held.set(name, page.rows)
      return page.rows
    })
  }
  const change = (page: Page, now: number) =>
    Effect.map(put("manifest", page), () => {
      manifest = { page, readAt: now }
    })

  return {
    flush: (writes) =>
      Effect.gen(function* () {
        const now = yield* Clock.currentTimeMillis
        const { page } = yield* known(baseMillis)
        if (page.ranges.length >= mostSegments) {
          const latest = new Map<string, StampedWrite>()
          for (const { name } of page.ranges) {
            for (const row of yield* segment(name)) {
              const entry = entryIn(row)
              const before = latest.get(row.key)
              if (before !== undefined && compareStamps(before.stamp, row.version) > 0) continue
              latest.set(row.key, { address: addressOf(collection, row.key), entry, stamp: row.version })
            }
          }
          for (const write of writes) latest.set(write.address.key, write)
          yield* below.flush([...latest.values()])
          return yield* change({ rows: [], ranges: [] }, now)
        }
        const name = newName(now, 0, draw())
        const rows = writes.map(({ address, entry, stamp }): PageRow => {
          const { stamp: _, ...body } = entry!
          return { key: address.key, version: stamp, deletedAt: 0, body }
        })
        const sorted = merge([], rows).rows
        held.set(name, sorted)
        yield* put(name, { rows: sorted, ranges: [] }, 86_400)
        const from = sorted.map(({ key }) => key).join(" ")
        yield* change({ rows: [], ranges: [...page.ranges, { from, name, was: "" }] }, now)
      }),
    read: (key, memory) =>
      Effect.gen(function* () {
        const { page, readAt } = yield* known(memoryMillis)
        const newest = new Map(page.ranges.flatMap(({ from, name }) => from.split(" ").map((one) => [one, name])))
        const name = newest.get(key)
        if (name === undefined) {
          const along = new Map<string, Held>()
          const value = yield* below.read(key, along)
          for (const [one, held] of along) if (!newest.has(one)) memory.set(one, held)
          return value
        }
        let value: Uint8Array | undefined
        for (const row of yield* segment(name)) {
          if (row.key === key) value = row.body!.value
          if (newest.get(row.key) === name) {
            memory.set(row.key, { value: row.body!.value, until: readAt + memoryMillis })
          }
        }
        return value
      })
  }
}

const measure = (format: "pages" | "segments", entries: number, perSecond: number, everySeconds: number) => {
  const world = KvSimulated.makeWorld({ seed: 1, latency: "none" })
  const time = VirtualTime.make(1_700_000_000_000, 1)
  const draw = Random.make(1)
  const ledger = LedgerMemory.make(0)
  const metered = (location: number) => KvMetered.make(world.at(location), ledger, "CACHE_KV")
  const start = (location: number): Format =>
    format === "pages" ? pages(metered(location)) : segments(metered(location), draw)
  const keyOf = (n: number) => `entry-${String(n).padStart(6, "0")}`
  const last = new Map<string, string>()
  let counter = 0
  let failed = 0

  const write = (key: string, now: number): StampedWrite => {
    const stamp = { wall: now, counter: ++counter, writer: "w" }
    const text = `${key} ${counter} `.padEnd(valueBytes, String(draw()))
    last.set(key, text)
    const value = new TextEncoder().encode(text)
    const entry = { value, contentType: "x/y", tags: [], stamp, expiresAt: now + 86_400_000, loadMillis: 0 }
    return { address: addressOf(collection, key), entry, stamp }
  }
  const landed = (effect: Effect.Effect<void, unknown>) =>
    Effect.catchAll(effect, () =>
      Effect.sync(() => {
        failed += 1
      })
    )

  const run = Effect.gen(function* () {
    let writer = start(0)
    yield* writer.flush(Array.from({ length: entries }, (_, n) => write(keyOf(n), time.now())))
    yield* Effect.sleep(120_000)
    const before = ledger.report().total
    const counted = counter
    const until = time.now() + hour
    const readers = Effect.gen(function* () {
      const memory = new Map<string, Held>()
      const reader = start(1)
      while (time.now() < until) {
        const key = keyOf(Math.floor(draw() * entries))
        if ((memory.get(key)?.until ?? 0) <= time.now()) yield* Effect.ignore(reader.read(key, memory))
        yield* Effect.sleep(1000)
      }
    })
    const writers = Effect.gen(function* () {
      let diesAt = time.now() + isolateLife
      let owed = 0
      while (time.now() < until) {
        yield* Effect.sleep(everySeconds * 1000)
        if (time.now() >= diesAt) {
          writer = start(0)
          diesAt = time.now() + isolateLife
        }
        owed += perSecond * everySeconds
        const buffer = new Map<string, StampedWrite>()
        for (; owed >= 1; owed--) {
          const one = write(keyOf(Math.floor(draw() * entries)), time.now())
          buffer.set(one.address.key, one)
        }
        if (buffer.size > 0) yield* landed(writer.flush([...buffer.values()]))
      }
    })
    yield* Effect.all([readers, writers], { concurrency: 2 })
    const after = ledger.report().total
    yield* Effect.sleep(120_000)
    const checker = start(2)
    let lost = 0
    const seen = new Map<string, Held>()
    for (const [key, text] of last) {
      const found = seen.get(key)?.value ?? (yield* checker.read(key, seen))
      if (new TextDecoder().decode(found) !== text) lost += 1
    }
    const writes = counter - counted
    return {
      kvWrites: (after.kv.writes - before.kv.writes) / writes,
      kvReads: (after.kv.reads - before.kv.reads) / writes,
      usd: ((usdOf(after) - usdOf(before)) / writes) * 1e6,
      failed,
      lost
    }
  })
  return Exit.getOrElse(time.run(run), (cause) => {
    throw new Error(Cause.pretty(cause))
  })
}

console.log("per logical write: KV writes, KV reads (of writer and reader); USD per million logical writes")
console.log("entries  writes/s  flush    pages: writes  reads    USD    segments: writes  reads    USD")
const figures = ({ failed, kvReads, kvWrites, lost, usd }: ReturnType<typeof measure>) =>
  `${kvWrites.toFixed(4).padStart(14)}${kvReads.toFixed(3).padStart(8)}${usd.toFixed(2).padStart(8)}${
    failed + lost > 0 ? ` (failed ${failed}, lost ${lost})` : ""
  }`
for (const [entries, perSecond, everySeconds] of [
  [100, 0.1, 60],
  [100, 1, 60],
  [600, 1, 60],
  [2000, 0.1, 300],
  [2000, 1, 60],
  [2000, 1, 300],
  [8000, 1, 300]
] as const) {
  const [own, other] = (["pages", "segments"] as const).map((format) =>
    measure(format, entries, perSecond, everySeconds)
  )
  console.log(
    `${String(entries).padStart(7)}${String(perSecond).padStart(10)}${`${everySeconds} s`.padStart(7)} `,
    figures(own!),
    "   ",
    figures(other!)
  )
}
