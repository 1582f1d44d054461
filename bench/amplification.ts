import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as ShardMemory from "../src/layers/durable/ShardMemory.ts"
import * as KvMemory from "../src/layers/kv/KvMemory.ts"
import { makePackedEntries } from "../src/layers/routing/packedEntries.ts"
import * as Random from "../src/services/base/model/Random.ts"
import type { Kv } from "../src/services/kv/Kv.ts"
import { defaults } from "../src/services/settings/Settings.ts"
import { define } from "../src/services/store/model/Collection.ts"
import { defaultContentType, type Entry } from "../src/services/store/model/Entry.ts"
import { addressOf } from "../src/services/tiers/ReadPath.ts"

/**
 * What a logical write of a packed collection writes: rows and bytes in an object, puts and bytes in KV, where all
 * entries are written at once, and where single ones are at random. `npm run bench -- amplification`
 */

const valueBytes = 190
const singles = 200
const states = define("states", { packed: true, ttl: "365 days" })
const keyOf = (number: number): string => String(number).padStart(6, "0")

const entryAt = (now: number, number: number): Entry => {
  const value = new Uint8Array(valueBytes)
  const noise = Random.make(((now / 1000) % 10_000) * 100_003 + number)
  for (let at = 0; at < valueBytes; at++) value[at] = noise() * 64
  return {
    value,
    contentType: defaultContentType,
    tags: [],
    stamp: { wall: now, counter: number, writer: "w" },
    expiresAt: now + 31_536_000_000,
    loadMillis: 0
  }
}

interface Cost {
  readonly writes: number
  readonly bytes: number
}

const inObject = (packed: boolean) => {
  const disk = ShardMemory.disk()
  const shard = ShardMemory.make(disk)
  let now = Date.UTC(2026, 0, 5)
  return (numbers: ReadonlyArray<number>): Cost => {
    now += 1000
    const [rows, pages] = [shard.billed().rowsWritten, new Map(disk.pages)]
    const writes = numbers.map((number) => {
      const { stamp, ...body } = entryAt(now, number)
      return { id: addressOf(states, keyOf(number)).id, stamp, body, packed, firstUntil: now }
    })
    shard.apply(writes, now)
    const changed = [...disk.pages.values()].filter((page) => pages.get(page.head.first) !== page)
    const bytes = packed ? changed.reduce((sum, { rows }) => sum + rows.byteLength, 0) : numbers.length * valueBytes
    return { writes: shard.billed().rowsWritten - rows, bytes }
  }
}

const inKv = () => {
  const counted = { writes: 0, bytes: 0 }
  const memory = KvMemory.make()
  const kv: Kv["Type"] = {
    ...memory,
    put: (key, value, options) => {
      counted.writes += 1
      counted.bytes += value.byteLength
      return memory.put(key, value, options)
    }
  }
  const entries = makePackedEntries(kv, defaults)
  let now = Date.UTC(2026, 0, 5)
  return (numbers: ReadonlyArray<number>): Cost => {
    now += 1000
    const before = { ...counted }
    const writes = numbers.map((number) => {
      const entry = entryAt(now, number)
      return { address: addressOf(states, keyOf(number)), entry, stamp: entry.stamp }
    })
    Effect.runSync(Effect.provide(entries.writeMany(writes, now), Layer.empty))
    return { writes: counted.writes - before.writes, bytes: counted.bytes - before.bytes }
  }
}

const table: Record<string, Record<string, number>> = {}
for (const entries of [10, 100, 1000, 10_000]) {
  const all = Array.from({ length: entries }, (_, number) => number)
  for (const [name, make] of [
    ["object, rows", () => inObject(false)],
    ["object, pages", () => inObject(true)],
    ["KV, pages", inKv]
  ] as const) {
    const costOf = make()
    costOf(all)
    const whole = costOf(all)
    const draw = Random.make(1)
    const single = { writes: 0, bytes: 0 }
    for (let write = 0; write < singles; write++) {
      const cost = costOf([Math.floor(draw() * entries)])
      single.writes += cost.writes
      single.bytes += cost.bytes
    }
    table[`${name}, ${entries} entries`] = {
      "all: writes": whole.writes,
      "all: writes per entry": Number((whole.writes / entries).toFixed(4)),
      "all: bytes per entry": Math.round(whole.bytes / entries),
      "one: writes": Number((single.writes / singles).toFixed(2)),
      "one: bytes": Math.round(single.bytes / singles)
    }
  }
}
console.table(table)
