import { assert } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as fc from "effect/FastCheck"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as TestClock from "effect/TestClock"
import * as KvMemory from "../../../src/layers/kv/KvMemory.ts"
import { openConnections } from "../../../src/services/base/model/OpenConnections.ts"
import { Kv } from "../../../src/services/kv/Kv.ts"
import { physicalKey } from "../../../src/services/kv/model/PhysicalKey.ts"
import { define } from "../../../src/services/store/model/Collection.ts"
import type { Entry } from "../../../src/services/store/model/Entry.ts"
import { type Change, Store, type StoreResult } from "../../../src/services/store/Store.ts"
import { kvMode, kvModeBatching } from "../worlds.ts"
import { type KvFault, type KvFaults, makeFaultyKv, soundKv } from "./kvFaults.ts"

const asking = { jitter: 0, memoryTtl: 0, edgeTtl: 0, negativeTtl: 0, fills: "all" } as const
const collections = {
  plain: define("plain", asking),
  memory: define("memory", { ...asking, memoryTtl: 3_600_000, negativeTtl: 30_000 }),
  packed: define("packed", { ...asking, packed: true })
}
type Name = keyof typeof collections

const keys = Array.from({ length: 20 }, (_, at) => `k${at}`)
const tag = "red"

type Step =
  | {
      readonly type: "write"
      readonly to: Name
      readonly changes: ReadonlyArray<{
        readonly key: string
        readonly value: number | undefined
        readonly red: boolean
      }>
    }
  | { readonly type: "read" | "load"; readonly from: Name; readonly keys: ReadonlyArray<string> }
  | { readonly type: "list" | "clear"; readonly from: Name }
  | { readonly type: "invalidate" | "die" }
  | { readonly type: "faults"; readonly faults: KvFaults }
  | { readonly type: "wait"; readonly millis: number }

export interface KvPlan {
  readonly batching: boolean
  readonly steps: ReadonlyArray<Step>
}

const name = fc.constantFrom<Name>("plain", "memory", "memory", "packed")
const key = fc.oneof({ weight: 2, arbitrary: fc.constantFrom("k0", "k1") }, fc.constantFrom(...keys))
const some = fc.uniqueArray(key, { minLength: 8, maxLength: 20, size: "max" })
const few = fc.uniqueArray(key, { minLength: 1, maxLength: 3, size: "max" })

const fault: fc.Arbitrary<KvFault> = fc.oneof(
  fc.record({
    kind: fc.constant("refused" as const),
    reason: fc.constantFrom("RateLimited" as const, "DailyLimit" as const, "Unavailable" as const)
  }),
  fc.constant({ kind: "lost" as const }),
  fc.record({ kind: fc.constant("silent" as const), applied: fc.boolean() }),
  // Within the deadline of 5 s, and so many of them that a batch takes longer than that.
  fc.record({ kind: fc.constant("slow" as const), millis: fc.constantFrom(150, 1_500) }),
  fc.record({ kind: fc.constant("late" as const), millis: fc.constantFrom(6_000, 30_000) })
)
const faults: fc.Arbitrary<KvFaults> = fc.record({
  every: fc.constantFrom(1, 1, 2, 3),
  faults: fc.record(
    {
      get: fault.filter(({ kind }) => kind !== "late"),
      getBulk: fault.filter(({ kind }) => kind !== "late"),
      list: fault.filter(({ kind }) => kind !== "late"),
      put: fault,
      delete: fault
    },
    { requiredKeys: [] }
  )
})

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 9,
    arbitrary: fc.record({
      type: fc.constant("write" as const),
      to: name,
      changes: fc
        .oneof(few, some)
        .chain((of) =>
          fc.tuple(
            ...of.map((key) =>
              fc.record({ key: fc.constant(key), value: fc.option(fc.nat(9), { nil: undefined }), red: fc.boolean() })
            )
          )
        )
    })
  },
  {
    weight: 9,
    arbitrary: fc.record({ type: fc.constant("read" as const), from: name, keys: fc.oneof(few, some) })
  },
  { weight: 1, arbitrary: fc.record({ type: fc.constant("load" as const), from: name, keys: few }) },
  { weight: 2, arbitrary: fc.record({ type: fc.constantFrom("list" as const, "clear" as const), from: name }) },
  {
    weight: 2,
    arbitrary: fc.record({ type: fc.constantFrom("invalidate" as const, "invalidate" as const, "die" as const) })
  },
  { weight: 4, arbitrary: fc.record({ type: fc.constant("faults" as const), faults }) },
  { weight: 2, arbitrary: fc.constant({ type: "faults" as const, faults: soundKv }) },
  {
    weight: 2,
    arbitrary: fc.record({ type: fc.constant("wait" as const), millis: fc.constantFrom(1, 1_000, 11_000, 61_000) })
  }
)

export const kvPlan: fc.Arbitrary<KvPlan> = fc.record({
  batching: fc.boolean(),
  steps: fc.array(step, { minLength: 5, maxLength: 20, size: "max" })
})

/** What a key may hold: its last acknowledged change, and each one after it of which nothing is known. */
interface Held {
  possible: Set<string | undefined>
  /** Changes that were given up and are done nevertheless. */
  late: ReadonlyArray<{ readonly value: string | undefined; readonly at: number }>
}

/** Two writes within a minute are not ordered: one that repeats what is stored is not made again so long. */
const unorderedMillis = 60_000

/** What an entry is: its value, and whether it has the tag. */
const whatIs = (entry: Entry | undefined): string | undefined =>
  entry && new TextDecoder().decode(entry.value) + (entry.tags.includes(tag) ? tag : "")
const whatBecomes = ({ red, value }: { readonly red: boolean; readonly value: number | undefined }) =>
  value === undefined ? undefined : `${value}${red ? tag : ""}`
const withoutRed = (what: string | undefined) => (what?.endsWith(tag) === true ? undefined : what)

const built = (layer: ReturnType<typeof kvMode>): Effect.Effect<Store["Type"]> => Effect.provide(Store, layer)

/** Plays one isolate after the other over a namespace with faults, and holds them against what it may hold. */
export const play = ({ batching, steps }: KvPlan, count: (what: string) => void) =>
  Effect.gen(function* () {
    const namespace = KvMemory.make()
    const faulty = makeFaultyKv(namespace)
    const mode = batching ? kvModeBatching : kvMode
    const isolate = built(mode({ kv: Layer.succeed(Kv, faulty.kv) }))
    const model = new Map<string, Held>()
    const held = (collection: Name, key: string): Held => {
      const id = `${collection}/${key}`
      const known = model.get(id) ?? { possible: new Set([undefined]), late: [] }
      model.set(id, known)
      return known
    }
    const isPossible = (collection: Name, key: string, value: string | undefined, why: string): void => {
      const { possible } = held(collection, key)
      assert.isTrue(possible.has(value), `${why}: ${collection}/${key} is ${value}, not one of ${[...possible]}`)
    }
    const told = (store: Store["Type"], collection: Name, of: ReadonlyArray<string>) =>
      Effect.map(store.getMany(collections[collection], of), (results) => {
        assert.lengthOf(results, of.length)
        return results.map((result) => (result._tag === "Failed" ? undefined : { value: whatIs(result.value.entry) }))
      })
    /** What anyone finds who has not been here before, and has no faults. */
    const stranger = yield* built(kvMode({ kv: Layer.succeed(Kv, namespace), memoryBytes: 1 }))
    const anyone = (collection: Name, of: ReadonlyArray<string>, why: string) =>
      Effect.map(told(stranger, collection, of), (found) => {
        for (const [index, one] of found.entries()) {
          assert.isDefined(one, "a read without faults")
          isPossible(collection, of[index]!, one?.value, why)
        }
      })

    const forAll = (collection: Name | undefined, change: (held: Held, id: string) => void): void => {
      for (const [id, known] of model)
        if (collection === undefined || id.startsWith(`${collection}/`)) change(known, id)
    }

    const write = (store: Store["Type"], { changes, to }: Extract<Step, { type: "write" }>) =>
      Effect.gen(function* () {
        faulty.met()
        const began = yield* Clock.currentTimeMillis
        const results: ReadonlyArray<StoreResult<unknown>> = yield* store.writeMany(
          collections[to],
          changes.map((change): Change => {
            const { key, red, value } = change
            return value === undefined
              ? { key, remove: true }
              : { key, value: new TextEncoder().encode(`${value}`), tags: red ? [tag] : [] }
          })
        )
        assert.lengthOf(results, changes.length)
        const met = faulty.met()
        const ill = changes.filter(({ key }, at) => results[at]!._tag === "Failed" && met.has(physicalKey(to, key)))
        const done: Array<string> = []
        for (const [index, change] of changes.entries()) {
          const [result, known] = [results[index]!, held(to, change.key)]
          const physical = physicalKey(to, change.key)
          const late = faulty.lateAt(physical)
          const others = known.late.filter(({ at }) => at + unorderedMillis > began)
          if (result._tag === "Done") {
            known.possible = new Set([whatBecomes(change), ...others.map(({ value }) => value)])
            known.late = others
            done.push(change.key)
            count("changes stored")
            continue
          }
          count(`changes ${result.error.reason === "Unavailable" ? "failed" : "refused"}`)
          known.possible.add(whatBecomes(change))
          known.late = late > began ? [...others, { value: whatBecomes(change), at: late }] : others
          // Nobody's failure is another's, but where KV has failed for as many in a row as there are connections.
          if (to !== "packed" && !met.has(physical)) {
            assert.isAtLeast(ill.length, openConnections, `${change.key} failed, and KV took all that it was asked for`)
            count("changes given up")
          }
        }
        yield* anyone(to, done, "acknowledged")
      })

    let store = yield* isolate
    let isSound = true
    yield* TestClock.adjust(1000)
    for (const step of steps) {
      switch (step.type) {
        case "faults":
          faulty.set(step.faults)
          isSound = Object.keys(step.faults.faults).length === 0
          break
        case "wait":
          yield* TestClock.adjust(step.millis)
          break
        case "die":
          // Within a millisecond two isolates are not ordered.
          yield* TestClock.adjust(1)
          store = yield* isolate
          break
        case "write":
          yield* write(store, step)
          break
        case "read":
          for (const [index, one] of (yield* told(store, step.from, step.keys)).entries()) {
            count(one === undefined ? "reads failed" : one.value === undefined ? "reads absent" : "reads found")
            if (one === undefined) continue
            const key = step.keys[index]!
            isPossible(step.from, key, one.value, "read")
            // Its own changes are all there are: what it says is what KV has, but of one that is done late, and of what a
            // loader brought and KV did not take.
            if (!isSound || one.value === "loaded" || faulty.lateAt(physicalKey(step.from, key)) > 0) continue
            const [there] = yield* told(stranger, step.from, [key])
            assert.strictEqual(one.value, there?.value, `read as KV has it: ${key}`)
          }
          break
        case "load":
          for (const key of step.keys) {
            const loader = Effect.succeed(Option.some({ value: new TextEncoder().encode("loaded") }))
            const began = yield* Clock.currentTimeMillis
            const loaded = yield* Effect.either(store.getOrLoad(collections[step.from], key, loader))
            const known = held(step.from, key)
            if (loaded._tag === "Left") continue
            const value = whatIs(loaded.right.entry)
            count(`loads answered by ${loaded.right.tier}`)
            if (loaded.right.tier === "loader") known.possible.add("loaded")
            const late = faulty.lateAt(physicalKey(step.from, key))
            if (late > began) known.late = [...known.late, { value: "loaded", at: late }]
            isPossible(step.from, key, value, "load")
          }
          break
        case "list": {
          const listed = yield* Effect.either(store.list(collections[step.from], {}))
          if (listed._tag === "Left") break
          count("lists answered")
          const names = new Set(listed.right.keys.map(({ key }) => key))
          for (const key of keys) {
            const { possible } = held(step.from, key)
            if (names.has(key))
              assert.isTrue(
                [...possible].some((value) => value !== undefined),
                `listed: ${key}`
              )
            else assert.isTrue(possible.has(undefined), `not listed: ${key}`)
          }
          break
        }
        case "clear": {
          const began = yield* Clock.currentTimeMillis
          const cleared = yield* Effect.either(store.clear(collections[step.from]))
          const isComplete = cleared._tag === "Right" && cleared.right.complete
          const now = yield* Clock.currentTimeMillis
          count(isComplete ? "clears" : "clears failed")
          forAll(step.from, (known, id) => {
            const late = faulty.lateAt(physicalKey(step.from, id.slice(step.from.length + 1)))
            if (late > began) known.late = [...known.late, { value: undefined, at: late }]
            if (isComplete && known.late.every(({ at }) => at < now)) known.possible = new Set([undefined])
            else known.possible.add(undefined)
          })
          break
        }
        case "invalidate": {
          const invalidated = yield* Effect.either(store.invalidateTags([tag]))
          count(invalidated._tag === "Right" ? "invalidations" : "invalidations failed")
          forAll(undefined, (known) => {
            const ended = [...known.possible].map(withoutRed)
            known.possible = new Set(invalidated._tag === "Right" ? ended : [...known.possible, ...ended])
            if (invalidated._tag === "Right") {
              known.late = known.late.map(({ at, value }) => ({ at, value: withoutRed(value) }))
            }
          })
          break
        }
      }
    }
    faulty.set(soundKv)
    yield* TestClock.adjust(61_000)
    for (const collection of Object.keys(collections) as ReadonlyArray<Name>) {
      yield* anyone(collection, keys, "at the end")
      const asked = yield* told(store, collection, keys)
      for (const [index, one] of asked.entries()) {
        assert.isDefined(one, "a read when KV is well again")
        isPossible(collection, keys[index]!, one?.value, "read by the isolate at the end")
      }
    }
  })
