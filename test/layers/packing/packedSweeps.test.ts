import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import { describe, expect, it } from "vitest"
import * as KvSimulated from "../../../src/layers/simulation/KvSimulated.ts"
import * as VirtualTime from "../../../src/layers/simulation/VirtualTime.ts"
import * as Random from "../../../src/services/base/model/Random.ts"
import { define } from "../../../src/services/store/model/Collection.ts"
import { type KvIsolate, makeKvIsolates } from "../../support/routing/kvIsolates.ts"
import { runs } from "../../support/runs.ts"
import { lookups } from "../../support/store/lookups.ts"

const states = define("alert-states", { packed: true, ttl: "7 days" })
const bytes = (text: string) => new TextEncoder().encode(text)
const text = (value: Uint8Array | undefined) => value && new TextDecoder().decode(value)
const keys = Array.from({ length: 100 }, (_, n) => `alert-${n}`)
const minutes = 60_000

const sweeps = runs(96)

/** Sweeps of a cron that fires every five minutes on any of six isolates in three locations, every other time a cold one. */
const day = (seed: number, changed: (draw: () => number) => ReadonlyArray<string>) => {
  const world = KvSimulated.makeWorld({ seed })
  const time = VirtualTime.make(1_700_000_000_000, seed)
  const draw = Random.make(seed)
  const run = <A, E>(effect: Effect.Effect<A, E>): A =>
    Exit.getOrElse(time.run(effect), (cause) => {
      throw new Error(Cause.pretty(cause))
    })
  return run(
    Effect.gen(function* () {
      const isolates = yield* makeKvIsolates(world)
      const running: Array<KvIsolate> = []
      const model = new Map<string, string>()
      let stale = 0
      let refused = 0
      for (let sweep = 0; sweep < sweeps; sweep++) {
        const place = Math.floor(draw() * 6)
        if (draw() < 0.5 || running[place] === undefined) running[place] = isolates.start(place % 3)
        const { invoke, store } = running[place]
        const seen = yield* invoke(lookups(store, states, keys))
        for (const [index, key] of keys.entries()) {
          if (text(seen[index]!.entry?.value) !== model.get(key)) stale += 1
        }
        const now = changed(draw)
        for (const key of now) model.set(key, `${key} in sweep ${sweep}`)
        const written = yield* invoke(
          store.writeMany(
            states,
            now.map((key) => ({ key, value: bytes(model.get(key)!) }))
          )
        )
        for (const result of written) {
          if (result._tag === "Failed" || result.value.acknowledged !== "stored") refused += 1
        }
        yield* Effect.sleep(5 * minutes)
      }
      const { invoke, store } = isolates.start(2)
      const left = yield* invoke(lookups(store, states, keys))
      const lost = keys.filter((key, index) => text(left[index]!.entry?.value) !== model.get(key))
      return { stale, refused, lost, kv: isolates.total().kv }
    })
  )
}

describe("a packed collection under a cron", () => {
  it.each([1, 2])("costs a read and a write a sweep, and loses nothing (seed %i)", (seed) => {
    const { kv, lost, refused, stale } = day(seed, () => keys)
    expect({ lost, refused, stale }).toEqual({ lost: [], refused: 0, stale: 0 })
    expect(kv.writes).toBe(sweeps)
    expect(kv.reads).toBeLessThanOrEqual(sweeps + 102)
    expect(kv.deletes + kv.lists).toBeLessThanOrEqual(1)
  })

  it.each([4, 5])("keeps what a sweep does not touch, though the next one runs elsewhere (seed %i)", (seed) => {
    const { lost, refused, stale } = day(seed, (draw) => keys.filter(() => draw() < 0.1))
    expect({ lost, refused, stale }).toEqual({ lost: [], refused: 0, stale: 0 })
  })
})
