import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as StoreCompressed from "../src/layers/compression/StoreCompressed.ts"
import * as Random from "../src/services/base/model/Random.ts"
import { Kv } from "../src/services/kv/Kv.ts"
import { define } from "../src/services/store/model/Collection.ts"
import { Store } from "../src/services/store/Store.ts"
import { MemoryTier } from "../src/services/tiers/MemoryTier.ts"
import * as ModesWorld from "../test/support/migration/modesWorld.ts"
import { kvMode } from "../test/support/worlds.ts"

/**
 * Bytes that values of a collection take, with `compress` and without: in KV (values and metadata), in memory, in rows of
 * an object, and in its snapshot. `npx tsx bench/compressedStore.ts`
 */

const utf8 = new TextEncoder()
const random = Random.make(3)
const quote = (i: number) => ({
  symbol: `SYM${i}`,
  price: Math.round(random() * 50_000) / 100,
  volume: Math.floor(random() * 1e7),
  asOf: 1_764_270_000_000 + Math.floor(random() * 1e6),
  sector: ["technology", "energy", "utilities"][i % 3],
  currency: "USD"
})

const values = (count: number, quotes: number) =>
  Array.from({ length: count }, (_, i) => ({
    key: `k${i}`,
    contentType: "application/json",
    value: utf8.encode(
      JSON.stringify(quotes === 1 ? quote(i) : Array.from({ length: quotes }, (_, j) => quote(i * quotes + j)))
    )
  }))

const inKv = (writes: ReturnType<typeof values>, compress: boolean, packed: boolean) =>
  Effect.gen(function* () {
    const store = yield* Store
    yield* store.writeMany(define("values", { jitter: 0, compress, packed }), writes)
    const kv = yield* Kv
    let bytes = 0
    for (const { name } of (yield* kv.list()).keys) {
      const { metadata, value } = Option.getOrThrow(yield* kv.get(name))
      bytes += value.byteLength + JSON.stringify(metadata ?? "").length
    }
    return { kv: bytes, memory: (yield* MemoryTier).stats().bytes }
  }).pipe(Effect.provide(Layer.provideMerge(StoreCompressed.layer, kvMode())))

const inObjects = (writes: ReturnType<typeof values>, compress: boolean, packed: boolean) =>
  Effect.gen(function* () {
    const world = yield* ModesWorld.make()
    const collection = define("default", { jitter: 0, memoryTtl: 0, edgeTtl: 0, compress, packed })
    const compressed = (store: Store["Type"]) =>
      Effect.provide(
        Effect.map(Store, (it) => it),
        Layer.provide(StoreCompressed.layer, Layer.succeed(Store, store))
      )
    yield* world.in("durable", (store) => Effect.flatMap(compressed(store), (it) => it.writeMany(collection, writes)))
    const entries = yield* world.durable.getMany(writes.map(({ key }) => `default/${key}`))
    const rows = entries.reduce(
      (sum, entry) => sum + (entry && "value" in entry ? entry.value.byteLength + entry.contentType.length : 0),
      0
    )
    yield* world.durable.flush
    return { rows, snapshot: yield* world.ownBytes }
  })

const run = Effect.gen(function* () {
  console.log("values            bytes each  policy              KV      memory   rows of values   snapshot")
  for (const [count, quotes] of [
    [500, 1],
    [200, 10],
    [50, 100]
  ] as const) {
    const writes = values(count, quotes)
    const given = writes.reduce((sum, { value }) => sum + value.byteLength, 0)
    for (const [name, compress, packed] of [
      ["plain", false, false],
      ["compress", true, false],
      ["packed", false, true]
    ] as const) {
      const { kv, memory } = yield* inKv(writes, compress, packed)
      const { rows, snapshot } = yield* inObjects(writes, compress, packed)
      const row = [
        String(count).padEnd(17),
        Math.round(given / count)
          .toString()
          .padEnd(11),
        name.padEnd(10)
      ]
      console.log(
        row.join(" "),
        [kv, memory, rows, snapshot].map((bytes) => bytes.toLocaleString("en").padStart(11)).join(" ")
      )
    }
  }
})

await Effect.runPromise(run)
