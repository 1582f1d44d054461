import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as KvMemory from "../src/layers/kv/KvMemory.ts"
import * as SectorsColumnar from "../src/layers/market/SectorsColumnar.ts"
import { Kv } from "../src/services/kv/Kv.ts"
import { Ledger } from "../src/services/ledger/Ledger.ts"
import { decode, encode, panelOf } from "../src/services/market/model/SectorPanel.ts"
import { Sectors } from "../src/services/market/Sectors.ts"
import { define } from "../src/services/store/model/Collection.ts"
import { allOf, Store } from "../src/services/store/Store.ts"
import * as Reference from "../test/support/market/sectorsReference.ts"
import { sectorNames, sectorOf, syntheticHistory } from "../test/support/market/syntheticHistory.ts"
import { kvMode } from "../test/support/worlds.ts"

/**
 * A snapshot of 11 sectors from 500 symbols and 252 daily returns: columns beside one object for each symbol, in
 * interleaved rounds, and what each costs in KV reads on a cold isolate. `npx tsx bench/sectors.ts`
 */

const symbols = 500
const sectors = 11
const rounds = 60

const history = syntheticHistory({ seed: 7, days: 253, symbols, sectors, missing: 0.01, still: 0 })
const names = sectorNames(sectors)
const panel = panelOf(history, names, sectorOf(sectors), "MARKET")
const market = Reference.marketOf(history, names, sectorOf(sectors), "MARKET")
const bytes = encode(panel)
const json = market.stocks.map((stock) => JSON.stringify(stock))

const { snapshot } = Effect.runSync(Effect.provide(Sectors, SectorsColumnar.layer))

const contenders = {
  "objects, in memory": () => Reference.snapshot(market),
  "columns, in memory": () => snapshot(panel),
  "objects, from their JSON": () =>
    Reference.snapshot({ ...market, stocks: json.map((text) => JSON.parse(text) as Reference.Stock) }),
  "columns, from their bytes": () => {
    const decoded = decode(bytes)
    return decoded._tag === "Right" ? snapshot(decoded.right) : undefined
  }
}

const median = (values: ReadonlyArray<number>) => values.toSorted((a, b) => a - b)[values.length >> 1]!

const millis = new Map<string, Array<number>>(Object.keys(contenders).map((name) => [name, []]))
for (let round = 0; round < rounds; round++) {
  for (const [name, run] of Object.entries(contenders)) {
    const from = performance.now()
    run()
    if (round >= rounds / 3) millis.get(name)!.push(performance.now() - from)
  }
}

const time = (name: keyof typeof contenders) => median(millis.get(name)!)
for (const name of Object.keys(contenders) as ReadonlyArray<keyof typeof contenders>) {
  const beside = name.startsWith("columns") ? (name.replace("columns, in", "objects, in") as typeof name) : name
  const reference = name === "columns, from their bytes" ? "objects, from their JSON" : beside
  const ratio = (time(reference) / time(name)).toFixed(1)
  console.log(`${name.padEnd(26)} ${time(name).toFixed(3).padStart(9)} ms  ${ratio.padStart(6)} x`)
}

const collection = define("sectors")

/** The reads that a cold isolate needs of a namespace that holds the keys, batched where there are many. */
const kvReads = (entries: ReadonlyArray<readonly [key: string, value: Uint8Array]>) =>
  Effect.gen(function* () {
    const kv = Layer.succeed(Kv, KvMemory.make())
    yield* Effect.flatMap(Store, (store) =>
      store.writeMany(
        collection,
        entries.map(([key, value]) => ({ key, value }))
      )
    ).pipe(Effect.provide(kvMode({ kv })))
    return yield* Effect.gen(function* () {
      const store = yield* Store
      const found = yield* Effect.flatMap(
        store.getMany(
          collection,
          entries.map(([key]) => key)
        ),
        allOf
      )
      if (found.some(({ entry }) => entry === undefined)) throw new Error("an entry is missing")
      const { kv, kvCalls } = (yield* Ledger).report().total
      return `${kv.reads} billed reads in ${kvCalls.reads} calls`
    }).pipe(Effect.provide(kvMode({ kv })))
  })

const encoder = new TextEncoder()
const single = await Effect.runPromise(kvReads([["panel", bytes]]))
const each = await Effect.runPromise(
  kvReads([
    ...market.stocks.map((stock, s) => [stock.symbol, encoder.encode(json[s])] as const),
    ["MARKET", encoder.encode(JSON.stringify(market.market))]
  ])
)
console.log(`one packed panel           ${single}, ${(bytes.byteLength / 1024).toFixed(0)} KiB`)
const eachBytes = json.reduce((sum, text) => sum + text.length, 0)
console.log(`one key for each symbol    ${each}, ${(eachBytes / 1024).toFixed(0)} KiB`)
