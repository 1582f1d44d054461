import * as fc from "effect/FastCheck"
import type { Fault } from "../../../src/layers/simulation/KvFaulty.ts"
import type { KvKind } from "../../../src/services/ledger/model/KvKind.ts"
import { type Collection, define } from "../../../src/services/store/model/Collection.ts"
import type { Fate } from "./durableWires.ts"
import type { WorldPlan } from "./durableWorld.ts"

export const collections: ReadonlyArray<Collection> = [
  define("plain", {
    jitter: 0,
    ttl: "2 minutes",
    memoryTtl: "20 seconds",
    edgeTtl: "5 seconds",
    negativeTtl: "5 seconds"
  }),
  define("bare", { jitter: 0, ttl: "2 minutes", memoryTtl: 0, edgeTtl: 0, fills: "all" }),
  define("stale", {
    jitter: 0,
    ttl: "10 seconds",
    memoryTtl: "5 seconds",
    edgeTtl: "3 seconds",
    staleFor: "10 seconds",
    graceFor: "60 seconds"
  })
]

/** A value that takes seconds where wires are slow. */
export const largeBytes = 12_000

export const keys = ["a", "b"]
const tagNames = ["t", "u"]

export type Operation =
  | { readonly _: "get" | "delete"; readonly collection: number; readonly key: number }
  | { readonly _: "getMany"; readonly collection: number }
  | {
      readonly _: "set"
      readonly collection: number
      readonly key: number
      readonly tags: ReadonlyArray<string>
      readonly ttl: number | undefined
      readonly large?: boolean
    }
  | {
      readonly _: "load"
      readonly collection: number
      readonly key: number
      readonly tags: ReadonlyArray<string>
      readonly millis: number
      readonly outcome: "value" | "none" | "fails"
    }
  | { readonly _: "invalidate"; readonly tags: ReadonlyArray<string> }
  | { readonly _: "clear"; readonly collection: number }

export type Step =
  | { readonly _: "ask"; readonly wait: number; readonly isolate: number; readonly operation: Operation }
  | {
      readonly _: "outage"
      readonly wait: number
      readonly isolate: number
      readonly shard: number
      readonly millis: number
    }
  | {
      readonly _: "kv"
      readonly wait: number
      readonly kinds: ReadonlyArray<KvKind>
      readonly reason: "RateLimited" | "DailyLimit" | "Unavailable"
      readonly millis: number
    }
  | { readonly _: "restart" | "flush" | "lose" | "expire"; readonly wait: number; readonly shard: number }
  | { readonly _: "sweep"; readonly wait: number }
  | { readonly _: "reshard"; readonly wait: number; readonly shards: number; readonly operations: number }
  | { readonly _: "die"; readonly wait: number; readonly isolate: number }

export interface Scenario extends Omit<WorldPlan, "faults"> {
  readonly faults: ReadonlyArray<Fault | undefined>
  /** The collection that most operations concern. */
  readonly main: number
  /** Whether the policy in force at each operation is that of a packed collection, over and over; none is if empty. */
  readonly packed?: ReadonlyArray<boolean>
  readonly steps: ReadonlyArray<Step>
}

const kvKinds: Array<KvKind> = ["reads", "writes", "deletes", "lists"]

/** Objects at once: fewer than there are keys. */
const mostShards = 5

/** Of an outage: no isolate sees the shard. */
export const allIsolates = 3

export type StepKind = Step["_"]

// What may happen

const mostly = <A>(usual: A, other: fc.Arbitrary<A>): fc.Arbitrary<A> =>
  fc.oneof({ weight: 4, arbitrary: fc.constant(usual) }, { weight: 1, arbitrary: other })

const wait = fc.oneof(
  { weight: 6, arbitrary: fc.integer({ min: 0, max: 30 }) },
  { weight: 3, arbitrary: fc.integer({ min: 30, max: 3000 }) },
  { weight: 1, arbitrary: fc.constantFrom(5_000, 20_000, 60_000, 130_000) }
)
/** Counted from the scenario's own. */
const collection = fc.nat({ max: collections.length - 1 })
const key = fc.nat({ max: keys.length - 1 })
const tags = fc.subarray(tagNames)
const loadMillis = fc.oneof(fc.integer({ min: 0, max: 300 }), fc.constantFrom(1500, 4000, 11_000))
const asking = (
  collection: fc.Arbitrary<number>,
  key: fc.Arbitrary<number>
): { readonly [K in Operation["_"]]: fc.WeightedArbitrary<Operation> } => ({
  get: { weight: 6, arbitrary: fc.record({ _: fc.constant("get" as const), collection, key }) },
  getMany: { weight: 1, arbitrary: fc.record({ _: fc.constant("getMany" as const), collection }) },
  set: {
    weight: 6,
    arbitrary: fc.record({
      _: fc.constant("set" as const),
      collection,
      key,
      tags,
      ttl: fc.constantFrom(undefined, undefined, undefined, 1000, 8000),
      large: mostly(false, fc.constant(true))
    })
  },
  delete: { weight: 3, arbitrary: fc.record({ _: fc.constant("delete" as const), collection, key }) },
  load: {
    weight: 4,
    arbitrary: fc.record({
      _: fc.constant("load" as const),
      collection,
      key,
      tags,
      millis: loadMillis,
      outcome: fc.constantFrom("value" as const, "value" as const, "none" as const, "fails" as const)
    })
  },
  invalidate: {
    weight: 1,
    arbitrary: fc.record({ _: fc.constant("invalidate" as const), tags: fc.subarray(tagNames, { minLength: 1 }) })
  },
  clear: { weight: 1, arbitrary: fc.record({ _: fc.constant("clear" as const), collection }) }
})

/** Most of what happens in one scenario concerns one key. */
const gathered = asking(mostly(0, collection), mostly(0, key))

/** Operations of these kinds only. */
export const operations = (kinds: ReadonlyArray<Operation["_"]>, asked = gathered): fc.Arbitrary<Operation> =>
  fc.oneof(...kinds.map((kind) => asked[kind]))

const anyKind = Object.keys(gathered) as ReadonlyArray<Operation["_"]>
const anyOperation = operations(anyKind)

/** All keys alike, and more often all at once. */
const scattered = operations([...anyKind, "clear", "clear", "invalidate"], asking(collection, key))

export const fairFate: Fate = { kind: "slow", there: 1, back: 0 }

export const fate: fc.Arbitrary<Fate> = fc.record({
  kind: fc.oneof(
    { weight: 6, arbitrary: fc.constant("slow" as const) },
    {
      weight: 4,
      arbitrary: fc.constantFrom(
        "lost",
        "silent",
        "late",
        "twice",
        "drop",
        "overloaded",
        "retry",
        "reset"
      ) as fc.Arbitrary<Fate["kind"]>
    }
  ),
  there: fc.oneof(fc.integer({ min: 0, max: 20 }), fc.integer({ min: 20, max: 1900 })),
  back: fc.oneof(fc.integer({ min: 0, max: 20 }), fc.integer({ min: 20, max: 1900 }))
})

const fault: fc.Arbitrary<Fault | undefined> = fc.oneof(
  { weight: 4, arbitrary: fc.constant(undefined) },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constantFrom("fail" as const, "lost" as const),
      reason: fc.constantFrom("RateLimited" as const, "Unavailable" as const, "DailyLimit" as const)
    })
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("hang" as const), applied: fc.boolean() }) },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant("delay" as const),
      by: fc.constantFrom("50 millis", "3 seconds", "20 seconds")
    })
  }
) as fc.Arbitrary<Fault | undefined>

/** Scenarios in which only the named kinds of steps happen. */
export const scenario = (
  options: {
    readonly kinds?: ReadonlyArray<StepKind>
    readonly fates?: fc.Arbitrary<Fate>
    readonly faults?: fc.Arbitrary<Fault | undefined>
    readonly operations?: fc.Arbitrary<Operation>
    /** As many steps and mishaps as there may be; a third of them otherwise. */
    readonly long?: boolean
  } = {}
): fc.Arbitrary<Scenario> => {
  const size = options.long ? "medium" : "small"
  const isolate = fc.nat({ max: 2 })
  const shard = fc.nat({ max: 4 })
  const steps: { readonly [K in StepKind]: fc.WeightedArbitrary<Step> } = {
    ask: {
      weight: 30,
      arbitrary: fc.record({
        _: fc.constant("ask" as const),
        wait,
        isolate,
        operation: options.operations ?? anyOperation
      })
    },
    outage: {
      weight: 3,
      arbitrary: fc.record({
        _: fc.constant("outage" as const),
        wait,
        isolate: fc.nat({ max: allIsolates }),
        shard,
        millis: fc.constantFrom(500, 5000, 60_000)
      })
    },
    kv: {
      weight: 3,
      arbitrary: fc.record({
        _: fc.constant("kv" as const),
        wait,
        kinds: fc.subarray(kvKinds, { minLength: 1, maxLength: 2 }),
        reason: fc.constantFrom("RateLimited" as const, "DailyLimit" as const, "Unavailable" as const),
        millis: fc.constantFrom(500, 5000, 60_000, 150_000)
      })
    },
    restart: { weight: 2, arbitrary: fc.record({ _: fc.constant("restart" as const), wait, shard }) },
    flush: { weight: 2, arbitrary: fc.record({ _: fc.constant("flush" as const), wait, shard }) },
    expire: { weight: 1, arbitrary: fc.record({ _: fc.constant("expire" as const), wait, shard }) },
    lose: { weight: 1, arbitrary: fc.record({ _: fc.constant("lose" as const), wait, shard }) },
    reshard: {
      weight: 6,
      arbitrary: fc.record({
        _: fc.constant("reshard" as const),
        wait,
        shards: fc.integer({ min: 1, max: mostShards }),
        operations: fc.constantFrom(0, 16, 24, 900)
      })
    },
    sweep: { weight: 2, arbitrary: fc.record({ _: fc.constant("sweep" as const), wait }) },
    die: { weight: 1, arbitrary: fc.record({ _: fc.constant("die" as const), wait, isolate }) }
  }
  const kinds = options.kinds ?? (Object.keys(steps) as ReadonlyArray<StepKind>).filter((kind) => kind !== "reshard")
  return fc.record({
    seed: fc.nat({ max: 1000 }),
    shards: fc.integer({ min: 1, max: mostShards }),
    skews: fc.tuple(...[0, 1, 2].map(() => fc.integer({ min: -300, max: 300 }))),
    reshards: fc.constant(kinds.includes("reshard")),
    edge: fc.boolean(),
    slow: mostly(false, fc.constant(true)),
    main: fc.nat({ max: collections.length - 1 }),
    packed: fc.oneof(
      fc.constantFrom<ReadonlyArray<boolean>>([], [true]),
      fc.array(fc.boolean(), { minLength: 2, maxLength: 5 })
    ),
    fates: fc.array(options.fates ?? fate, { maxLength: 40, size }),
    faults: fc.array(options.faults ?? fault, { maxLength: 20, size }),
    steps: fc.array(fc.oneof(...kinds.map((kind) => steps[kind])), { minLength: 1, maxLength: 30, size }),
    pageRows: fc.integer({ min: 1, max: 3 }),
    base: fc.constantFrom(undefined, "inline" as const, "runs" as const)
  })
}

/** The same after every key was written, so that there is much to move. */
const filled = (plan: Scenario): Scenario => {
  const writes = collections.flatMap((_, collection) =>
    keys.map(
      (_, key): Step => ({
        _: "ask",
        wait: 0,
        isolate: 0,
        operation: { _: "set", collection, key, tags: [], ttl: undefined }
      })
    )
  )
  return { ...plan, fates: [...writes.map(() => fairFate), ...plan.fates], steps: [...writes, ...plan.steps] }
}

/** Anything may happen while the number of objects changes. */
export const resharding = scenario({
  kinds: ["ask", "outage", "kv", "restart", "flush", "expire", "lose", "sweep", "die", "reshard"],
  operations: scattered,
  long: true
}).map(filled)
