import { brotliCompressSync, constants, deflateRawSync } from "node:zlib"
import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as KvMemory from "../src/layers/kv/KvMemory.ts"
import { rowBytes } from "../src/layers/snapshots/internal/snapshotFrames.ts"
import * as SnapshotsKv from "../src/layers/snapshots/SnapshotsKv.ts"
import * as Random from "../src/services/base/model/Random.ts"
import type { ShardImage, ShardRow } from "../src/services/durable/Shard.ts"
import type { Kv } from "../src/services/kv/Kv.ts"
import { sourceOf } from "../test/support/snapshots/wholeImages.ts"

/**
 * Time and memory of packing snapshots, for choosing the codec, the block and the limit of the single value.
 * `node --expose-gc --import tsx bench/packing.ts`
 */

const mebibyte = 1024 * 1024
const random = Random.make(7)
const encoder = new TextEncoder()
const pick = <A>(from: ReadonlyArray<A>): A => from[Math.floor(random() * from.length)]!
const price = () => Math.round(random() * 50_000) / 100

const words = "shares rose after the quarterly report beat estimates while analysts warned of slower growth in".split(
  " "
)
const kinds: ReadonlyArray<readonly [name: string, make: (i: number) => unknown]> = [
  [
    "quote",
    (i) => ({ symbol: `S${i % 500}`, price: price(), change: price() / 100, volume: Math.floor(random() * 1e7) })
  ],
  ["alert", (i) => ({ id: `alert-${i}`, lastPrice: price(), evaluatedAt: 1_790_000_000_000 + i, triggered: false })],
  ["sentiment", (i) => ({ symbol: `S${i}`, score: random(), headlines: Array.from({ length: 6 }, headline) })]
]

function headline(): string {
  return Array.from({ length: 12 }, () => pick(words)).join(" ")
}

const rowOf = (i: number): ShardRow => {
  const [name, make] = kinds[i % kinds.length]!
  return {
    id: `${name}s/${name}-${i}`,
    version: {
      wall: 1_790_000_000_000 + Math.floor(random() * 3_600_000),
      counter: 0,
      writer: pick(["3fa9c1d2", "b7710e55"])
    },
    ahead: [],
    deletedAt: 0,
    body: {
      value: encoder.encode(JSON.stringify(make(i))),
      contentType: "application/json",
      tags: [name],
      expiresAt: 1_790_003_600_000 + i,
      loadMillis: 0
    }
  }
}

const imageOf = (rawBytes: number, row: (i: number) => ShardRow): ShardImage => {
  const rows: Array<ShardRow> = []
  for (let bytes = 0; bytes < rawBytes; bytes += rowBytes(rows.at(-1)!)) rows.push(row(rows.length))
  return { rows, tags: new Map() }
}

/** A picture: nothing about it compresses. */
const picture = (i: number): ShardRow => {
  const value = new Uint8Array(20_000)
  for (let at = 0; at < value.length; at++) value[at] = random() * 256
  return { ...rowOf(i), id: `pictures/${i}`, body: { ...rowOf(i).body!, value, contentType: "image/webp" } }
}

const timed = <A>(work: () => A): readonly [millis: number, result: A] => {
  const from = performance.now()
  const result = work()
  return [performance.now() - from, result]
}

const median = (values: ReadonlyArray<number>) => values.toSorted((a, b) => a - b)[values.length >> 1]!

const repeated = <A>(work: () => A): readonly [millis: number, result: A] => {
  const rounds = Array.from({ length: 5 }, () => timed(work))
  return [median(rounds.map(([millis]) => millis)), rounds[0]![1]]
}

const block = imageOf(4 * mebibyte, rowOf)
const raw = Buffer.concat(block.rows.map(({ body, id }) => Buffer.concat([Buffer.from(id), body!.value])))
const brotli = (quality: number) => () =>
  brotliCompressSync(raw, {
    params: { [constants.BROTLI_PARAM_QUALITY]: quality, [constants.BROTLI_PARAM_SIZE_HINT]: raw.byteLength }
  })
console.log(`codecs, ${(raw.byteLength / mebibyte).toFixed(1)} MiB of JSON rows:`)
console.table(
  Object.fromEntries(
    [
      ["deflate-raw 6", () => deflateRawSync(raw, { level: 6 })] as const,
      ...[1, 4, 5, 6, 9].map((quality) => [`brotli ${quality}`, brotli(quality)] as const)
    ].map(([name, work]) => {
      const [millis, packed] = repeated(work)
      const perMebibyte = (millis / raw.byteLength) * mebibyte
      return [name, { "ms/MiB": perMebibyte.toFixed(1), ratio: (raw.byteLength / packed.byteLength).toFixed(2) }]
    })
  )
)

const used = () => {
  for (let round = 0; round < 3; round++) globalThis.gc?.()
  const { arrayBuffers, heapUsed } = process.memoryUsage()
  return arrayBuffers + heapUsed
}

/** Calls `look` where memory is fullest: as each operation of the namespace begins. */
const watched = (kv: Context.Tag.Service<Kv>, look: () => void): Context.Tag.Service<Kv> => ({
  ...kv,
  get: (key) => Effect.zipRight(Effect.sync(look), kv.get(key)),
  put: (key, value) => Effect.zipRight(Effect.sync(look), kv.put(key, value))
})

const snapshot = async (name: string, image: ShardImage) => {
  const kv = KvMemory.make()
  const rawBytes = image.rows.reduce((sum, row) => sum + rowBytes(row), 0)
  const save = (into = kv) => Effect.runPromise(SnapshotsKv.make(into).save("shard-0", sourceOf(image), 1))
  const load = (from = kv, look = () => {}) => {
    let rows = 0
    const count = (part: ShardImage) =>
      Effect.sync(() => {
        rows += part.rows.length
        look()
      })
    return Effect.runPromise(Effect.map(SnapshotsKv.make(from).load("shard-0", count), () => rows))
  }
  const from = performance.now()
  await save()
  const saveMillis = performance.now() - from
  const loadFrom = performance.now()
  await load()
  const loadMillis = performance.now() - loadFrom
  const { keys } = await Effect.runPromise(kv.list())
  let stored = 0
  for (const key of keys) {
    const found = await Effect.runPromise(kv.get(key.name))
    if (found._tag === "Some") stored += found.value.value.byteLength
  }
  const before = used()
  let most = 0
  const look = () => {
    most = Math.max(most, used() - before)
  }
  // Into nowhere: what is stored is not the object's to hold.
  await save(watched({ ...KvMemory.make(), put: () => Effect.void }, look))
  const saving = most
  most = 0
  if ((await load(watched(kv, look), look)) !== image.rows.length) throw new Error("rows were lost")
  return [
    name,
    {
      rows: image.rows.length,
      "raw MiB": (rawBytes / mebibyte).toFixed(1),
      "stored MiB": (stored / mebibyte).toFixed(2),
      keys: keys.length,
      "save ms": saveMillis.toFixed(0),
      "save ms/MiB": (saveMillis / (rawBytes / mebibyte)).toFixed(1),
      "save + MiB": (saving / mebibyte).toFixed(0),
      "load ms": loadMillis.toFixed(0),
      "load + MiB": (most / mebibyte).toFixed(0)
    }
  ] as const
}

const snapshots = [
  await snapshot("1 MiB JSON", imageOf(mebibyte, rowOf)),
  await snapshot("8 MiB JSON", imageOf(8 * mebibyte, rowOf)),
  await snapshot("32 MiB JSON", imageOf(32 * mebibyte, rowOf)),
  await snapshot("64 MiB JSON", imageOf(64 * mebibyte, rowOf)),
  await snapshot("7 MiB pictures", imageOf(7 * mebibyte, picture)),
  await snapshot("128 MiB JSON", imageOf(128 * mebibyte, rowOf)),
  await snapshot("32 MiB pictures", imageOf(32 * mebibyte, picture)),
  await snapshot("512 MiB pictures", imageOf(512 * mebibyte, picture))
]
console.log("snapshots; the most memory that a save and a load take, without the shard's own and the namespace's:")
console.table(Object.fromEntries(snapshots))
