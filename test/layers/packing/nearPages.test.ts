import { describe, expect, it } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as TestClock from "effect/TestClock"
import * as KvMemory from "../../../src/layers/kv/KvMemory.ts"
import { makeNearPages } from "../../../src/layers/packing/nearPages.ts"
import { makePackedEntries } from "../../../src/layers/routing/packedEntries.ts"
import * as EdgeCacheMemory from "../../../src/layers/tiers/EdgeCacheMemory.ts"
import type { Kv } from "../../../src/services/kv/Kv.ts"
import { defaults } from "../../../src/services/settings/Settings.ts"
import { define } from "../../../src/services/store/model/Collection.ts"
import { addressOf } from "../../../src/services/tiers/ReadPath.ts"
import { virtually } from "../../support/virtually.ts"

const prices = define("prices", { packed: true, edgeTtl: "2 minutes", negativeTtl: "30 seconds", jitter: 0 })

/** Isolates of one location over one namespace that counts its reads. */
const location = () => {
  const kv = KvMemory.make()
  const edge = EdgeCacheMemory.make()
  const seen = { reads: 0 }
  const counting: Kv["Type"] = {
    ...kv,
    get: (name) =>
      Effect.suspend(() => {
        seen.reads += 1
        return kv.get(name)
      })
  }
  let counter = 0
  const isolate = () => {
    const entries = makePackedEntries(counting, defaults, edge)
    return {
      read: (key: string, age: 0 | "near" = "near") =>
        Effect.map(entries.readEach([addressOf(prices, key)], undefined, age), ({ outcomes }) => {
          const outcome = outcomes[0]!
          if (!("readAt" in outcome)) throw outcome
          return outcome.entry && new TextDecoder().decode(outcome.entry.value)
        }),
      write: (key: string, text: string, tags: ReadonlyArray<string> = []) =>
        Effect.flatMap(Clock.currentTimeMillis, (now) => {
          const stamp = { wall: now, counter: counter++, writer: "w" }
          const value = new TextEncoder().encode(text)
          const entry = { value, contentType: "x/y", tags, stamp, expiresAt: Number.POSITIVE_INFINITY, loadMillis: 0 }
          return entries.writeMany([{ address: addressOf(prices, key), entry, stamp }], now)
        })
    }
  }
  return { seen, isolate, edge }
}

const story = (name: string, body: (world: ReturnType<typeof location>) => Effect.Effect<void>) =>
  it(name, () => Effect.runPromise(virtually(body(location()))))

describe("a location's copies of pages", () => {
  story(
    "one read of KV serves every isolate there for the collection's edge time, all keys of the page",
    ({ isolate, seen }) =>
      Effect.gen(function* () {
        const [a, b, c] = [isolate(), isolate(), isolate()]
        yield* a.write("x", "1")
        yield* a.write("y", "2")
        seen.reads = 0
        expect([yield* b.read("x"), yield* c.read("y")]).toStrictEqual(["1", "2"])
        expect(seen.reads).toBe(0)
        yield* TestClock.adjust("2 minutes")
        expect([yield* b.read("x"), yield* c.read("y")]).toStrictEqual(["1", "2"])
        expect(seen.reads).toBe(1)
      })
  )

  story("an isolate sees its own writes over them, and what asks KV itself asks KV", ({ isolate, seen }) =>
    Effect.gen(function* () {
      const [a, b] = [isolate(), isolate()]
      yield* a.write("x", "1")
      yield* b.read("x")
      yield* b.write("x", "2")
      expect(yield* b.read("x")).toBe("2")
      seen.reads = 0
      expect(yield* a.read("x", 0)).toBe("2")
      expect(seen.reads).toBe(1)
    })
  )

  story("what a copy lacks is absent only as long as absences are remembered", ({ edge, isolate, seen }) =>
    Effect.gen(function* () {
      const [a, b, away] = [isolate(), isolate(), isolate()]
      yield* a.write("x", "1")
      const copy = Option.getOrThrow(yield* Effect.orDie(edge.match("~page/prices/")))
      yield* away.write("z", "3")
      // Another location wrote it: the copy here stays as it was.
      yield* Effect.orDie(edge.put("~page/prices/", copy, copy.readAt + 120_000))
      seen.reads = 0
      expect(yield* b.read("z")).toBeUndefined()
      expect(seen.reads).toBe(0)
      yield* TestClock.adjust("30 seconds")
      expect(yield* b.read("z")).toBe("3")
      expect(seen.reads).toBe(1)
    })
  )

  story("none is kept of a collection that the edge may not answer for", ({ edge, isolate }) =>
    Effect.gen(function* () {
      yield* isolate().write("x", "1")
      const afresh = define("prices", { packed: true, edgeTtl: 0 })
      const near = makeNearPages(edge, defaults)
      expect(yield* near.match(afresh, "")).toBeUndefined()
      expect(yield* near.match(prices, "")).toBeDefined()
    })
  )
})
