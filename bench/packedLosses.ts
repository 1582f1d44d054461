import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as KvSimulated from "../src/layers/simulation/KvSimulated.ts"
import * as VirtualTime from "../src/layers/simulation/VirtualTime.ts"
import * as Random from "../src/services/base/model/Random.ts"
import { define } from "../src/services/store/model/Collection.ts"
import { allOf } from "../src/services/store/Store.ts"
import { makeKvIsolates } from "../test/support/routing/kvIsolates.ts"

/**
 * What concurrent writers of one page lose in KV mode: isolates in two locations write single keys of one page for an
 * hour, every so many seconds each, and read one every ten seconds. Lost: keys whose last acknowledged write cannot be
 * read ten minutes after. `npx tsx bench/packedLosses.ts`
 */
const notes = define("notes", { packed: true, ttl: "1 day", jitter: 0 })
const hour = 3_600_000
const keys = 200

const measure = (writers: number, everySeconds: number, isolateLife: number, seed: number) => {
  const world = KvSimulated.makeWorld({ seed })
  const time = VirtualTime.make(1_700_000_000_000, seed)
  const draw = Random.make(seed)
  const run = Effect.gen(function* () {
    const isolates = yield* makeKvIsolates(world)
    const last = new Map<string, string>()
    let written = 0
    let refused = 0
    const until = time.now() + hour
    const writer = (location: number) =>
      Effect.gen(function* () {
        let isolate = isolates.start(location)
        let diesAt = time.now() + isolateLife
        let readAt = 0
        yield* Effect.sleep(draw() * everySeconds * 1000)
        while (time.now() < until) {
          if (time.now() >= diesAt) {
            isolate = isolates.start(location)
            diesAt = time.now() + isolateLife
          }
          const { invoke, store } = isolate
          const key = `key-${location}-${Math.floor(draw() * keys)}`
          const value = `${key} ${written}`
          const outcome = yield* Effect.either(invoke(store.set(notes, key, new TextEncoder().encode(value))))
          if (outcome._tag === "Right") {
            written += 1
            last.set(key, value)
          } else refused += 1
          const next = time.now() + (0.5 + draw()) * everySeconds * 1000
          while (time.now() < next) {
            yield* Effect.sleep(Math.min(10_000, next - time.now()))
            if (time.now() - readAt < 10_000) continue
            readAt = time.now()
            yield* Effect.ignore(invoke(store.get(notes, `key-0-${Math.floor(draw() * keys)}`)))
          }
        }
        for (let n = 0; n < 20; n++) {
          yield* Effect.sleep(10_000)
          yield* Effect.ignore(isolate.invoke(isolate.store.get(notes, `key-0-${Math.floor(draw() * keys)}`)))
        }
      })
    yield* Effect.forEach(
      Array.from({ length: writers }, (_, n) => n),
      writer,
      { concurrency: "unbounded" }
    )
    yield* Effect.sleep(600_000)
    const reader = isolates.start(99)
    const names = [...last.keys()]
    const found = yield* reader.invoke(Effect.flatMap(reader.store.getMany(notes, names), allOf))
    const lost = names.filter((key, index) => {
      const value = found[index]!.entry?.value
      return value === undefined || new TextDecoder().decode(value) !== last.get(key)
    })
    return { written, refused, keys: names.length, lost: lost.length, kv: isolates.total().kv }
  })
  return Exit.getOrElse(time.run(run), (cause) => {
    throw new Error(Cause.pretty(cause))
  })
}

const percent = (part: number, whole: number) => `${((100 * part) / whole).toFixed(2)} %`

console.log("writers  every  isolates live   writes  refused  keys lost")
for (const [writers, every, life] of [
  [1, 5, hour],
  [1, 300, 1],
  [2, 300, hour],
  [2, 60, hour],
  [2, 10, hour],
  [2, 60, 30_000],
  [2, 10, 30_000]
] as const) {
  let [written, refused, known, lost] = [0, 0, 0, 0]
  for (let seed = 1; seed <= 5; seed++) {
    const one = measure(writers, every, life, seed)
    written += one.written
    refused += one.refused
    known += one.keys
    lost += one.lost
  }
  const lives = life >= hour ? "on" : `${life / 1000} s`
  console.log(
    `${writers}        ${every} s`.padEnd(16),
    lives.padEnd(14),
    String(written).padStart(7),
    String(refused).padStart(8),
    `  ${lost} of ${known} (${percent(lost, known)})`
  )
}
