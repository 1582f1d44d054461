import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as fc from "effect/FastCheck"
import type * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as VirtualTime from "../../src/layers/internal/VirtualTime.ts"
import type { Fault } from "../../src/layers/KvFaulty.ts"
import { type Collection, define } from "../../src/services/Collection.ts"
import type { Lookup } from "../../src/services/Store.ts"
import { type Change, DurableHistory, numberIn } from "./durableHistory.ts"
import * as DurableWorld from "./durableWorld.ts"

const collections: ReadonlyArray<Collection> = [
  define("plain", {
    jitter: 0,
    ttl: "2 minutes",
    memoryTtl: "20 seconds",
    edgeTtl: "5 seconds",
    negativeTtl: "5 seconds"
  }),
  define("bare", { jitter: 0, ttl: "2 minutes", memoryTtl: 0, edgeTtl: 0 }),
  define("stale", {
    jitter: 0,
    ttl: "10 seconds",
    memoryTtl: "5 seconds",
    edgeTtl: "3 seconds",
    staleFor: "10 seconds",
    graceFor: "60 seconds"
  })
]

const keys = ["a", "b"]
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
  | { readonly _: "restart" | "flush" | "lose" | "expire"; readonly wait: number; readonly shard: number }
  | { readonly _: "sweep"; readonly wait: number }
  | { readonly _: "die"; readonly wait: number; readonly isolate: number }

export interface Scenario extends Omit<DurableWorld.WorldPlan, "faults"> {
  readonly faults: ReadonlyArray<Fault | undefined>
  /** The collection that most operations concern. */
  readonly main: number
  readonly steps: ReadonlyArray<Step>
}

export type StepKind = Step["_"]

// What may happen

const mostly = <A>(usual: A, other: fc.Arbitrary<A>): fc.Arbitrary<A> =>
  fc.oneof({ weight: 4, arbitrary: fc.constant(usual) }, { weight: 1, arbitrary: other })

const wait = fc.oneof(
  { weight: 6, arbitrary: fc.integer({ min: 0, max: 30 }) },
  { weight: 3, arbitrary: fc.integer({ min: 30, max: 3000 }) },
  { weight: 1, arbitrary: fc.constantFrom(5_000, 20_000, 60_000, 130_000) }
)
/** Counted from the scenario's own collection, so that most of what happens in one concerns one key. */
const collection = mostly(0, fc.nat({ max: collections.length - 1 }))
const key = mostly(0, fc.nat({ max: keys.length - 1 }))
const tags = fc.subarray(tagNames)
const loadMillis = fc.oneof(fc.integer({ min: 0, max: 300 }), fc.constantFrom(1500, 4000, 11_000))
const asked: { readonly [K in Operation["_"]]: fc.WeightedArbitrary<Operation> } = {
  get: { weight: 6, arbitrary: fc.record({ _: fc.constant("get" as const), collection, key }) },
  getMany: { weight: 1, arbitrary: fc.record({ _: fc.constant("getMany" as const), collection }) },
  set: {
    weight: 6,
    arbitrary: fc.record({
      _: fc.constant("set" as const),
      collection,
      key,
      tags,
      ttl: fc.constantFrom(undefined, undefined, undefined, 1000, 8000)
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
}

/** Operations of these kinds only. */
export const operations = (kinds: ReadonlyArray<Operation["_"]>): fc.Arbitrary<Operation> =>
  fc.oneof(...kinds.map((kind) => asked[kind]))

const anyOperation = operations(Object.keys(asked) as ReadonlyArray<Operation["_"]>)

const fate: fc.Arbitrary<DurableWorld.Fate> = fc.record({
  kind: fc.oneof(
    { weight: 6, arbitrary: fc.constant("slow" as const) },
    {
      weight: 4,
      arbitrary: fc.constantFrom("lost", "silent", "late", "twice", "drop", "overloaded") as fc.Arbitrary<
        DurableWorld.Fate["kind"]
      >
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
    readonly fates?: fc.Arbitrary<DurableWorld.Fate>
    readonly faults?: fc.Arbitrary<Fault | undefined>
    readonly operations?: fc.Arbitrary<Operation>
    readonly maxSteps?: number
  } = {}
): fc.Arbitrary<Scenario> => {
  const isolate = fc.nat({ max: 2 })
  const shard = fc.nat({ max: 1 })
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
        isolate,
        shard,
        millis: fc.constantFrom(500, 5000, 60_000)
      })
    },
    restart: { weight: 2, arbitrary: fc.record({ _: fc.constant("restart" as const), wait, shard }) },
    flush: { weight: 2, arbitrary: fc.record({ _: fc.constant("flush" as const), wait, shard }) },
    expire: { weight: 1, arbitrary: fc.record({ _: fc.constant("expire" as const), wait, shard }) },
    lose: { weight: 1, arbitrary: fc.record({ _: fc.constant("lose" as const), wait, shard }) },
    sweep: { weight: 2, arbitrary: fc.record({ _: fc.constant("sweep" as const), wait }) },
    die: { weight: 1, arbitrary: fc.record({ _: fc.constant("die" as const), wait, isolate }) }
  }
  const kinds = options.kinds ?? (Object.keys(steps) as ReadonlyArray<StepKind>)
  return fc.record({
    seed: fc.nat({ max: 1000 }),
    shards: fc.integer({ min: 1, max: 2 }),
    skews: fc.tuple(...[0, 1, 2].map(() => fc.integer({ min: -300, max: 300 }))),
    edge: fc.boolean(),
    main: fc.nat({ max: collections.length - 1 }),
    fates: fc.array(options.fates ?? fate, { maxLength: 40 }),
    faults: fc.array(options.faults ?? fault, { maxLength: 20 }),
    steps: fc.array(fc.oneof(...kinds.map((kind) => steps[kind])), { minLength: 1, maxLength: options.maxSteps ?? 30 })
  })
}

// How it happens

const start = 1_700_000_000_000

const bytes = (number: number) => new TextEncoder().encode(String(number))

export const run = (plan: Scenario): DurableHistory => {
  const time = VirtualTime.make(start, plan.seed)
  const history = new DurableHistory(() => Math.floor(time.now()), plan.skews, plan.shards, plan.edge, start)
  const exit = time.run(play(plan, history))
  if (history.found !== undefined || Exit.isFailure(exit)) {
    const why = history.found ?? (Exit.isFailure(exit) ? Cause.pretty(exit.cause) : "")
    throw new Error(`${why}\n\n${history.trace.join("\n")}\n`)
  }
  return history
}

const play = (plan: Scenario, history: DurableHistory) =>
  Effect.gen(function* () {
    const world = yield* DurableWorld.make(plan, history)
    const running: Array<Fiber.RuntimeFiber<unknown, unknown>> = []
    for (const step of plan.steps) {
      yield* Effect.sleep(step.wait)
      running.push(yield* Effect.forkDaemon(take(step, plan, world, history)))
      yield* failed(running)
      if (history.found !== undefined) return
    }
    yield* Effect.sleep(DurableWorld.longestOperation)
    yield* failed(running)
    for (const [number, { _ }] of plan.steps.entries()) {
      if (_ === "ask" && running[number]!.unsafePoll() === null) history.broken(`step ${number} never ended`)
    }
    world.heal()
    yield* settle(plan, world, history)
  })

/** The first thing that was found broken, or that nobody expected to fail. */
const failed = (running: ReadonlyArray<Fiber.RuntimeFiber<unknown, unknown>>) =>
  Effect.suspend(() => {
    for (const fiber of running) {
      const exit = fiber.unsafePoll()
      if (exit !== null && Exit.isFailure(exit) && !Cause.isInterruptedOnly(exit.cause)) return exit
    }
    return Effect.void
  })

type World = Effect.Effect.Success<ReturnType<typeof DurableWorld.make>>

const take = (step: Step, plan: Scenario, world: World, history: DurableHistory): Effect.Effect<unknown, unknown> => {
  switch (step._) {
    case "ask":
      return ask(step.isolate, step.operation, plan, world, history)
    case "outage":
      return Effect.sync(() => world.outage(step.isolate, step.shard % plan.shards, step.millis))
    case "sweep":
      return Effect.ignore(world.sweep)
    case "die":
      return world.kill(step.isolate)
    default:
      return world[step._](step.shard % plan.shards)
  }
}

const ask = (isolate: number, asked: Operation, { main }: Scenario, world: World, history: DurableHistory) =>
  Effect.suspend((): Effect.Effect<unknown, unknown> => {
    const { run, stamped: _, store, wasAlone } = world.isolates[isolate]!
    const collection = collections[(main + ("collection" in asked ? asked.collection : 0)) % collections.length]!
    const key = keys["key" in asked ? asked.key : 0]!
    const id = `${collection.name}/${key}`
    const invokedAt = history.moment()

    const changing = <A, E>(
      change: Change,
      effect: Effect.Effect<A, E>,
      as: (value: A) => "stored" | "outside" | "failed"
    ) =>
      run(
        Effect.suspend(() => {
          world.isolates[isolate]!.stamped = (stamp) => {
            history.stamped(change, stamp)
            world.isolates[isolate]!.stamped = () => {}
          }
          return effect
        })
      ).pipe(
        Effect.matchEffect({
          onFailure: () => Effect.sync(() => history.end(change, "failed")),
          onSuccess: (value) => Effect.sync(() => history.end(change, as(value)))
        })
      )

    const told = (id: string, lookup: Lookup, loadable: boolean) =>
      Effect.sync(() => {
        const { edgeTtl, graceFor, memoryTtl, staleFor } = collection.millis
        history.read({
          id,
          isolate,
          invokedAt,
          answeredAt: history.moment(),
          found: lookup.entry && numberIn(lookup.entry.value),
          lookup,
          loadable,
          longest: Math.max(memoryTtl, edgeTtl),
          beyond: Math.max(staleFor, graceFor)
        })
      })

    switch (asked._) {
      case "get":
        return Effect.flatMap(run(store.get(collection, key)), (lookup) => told(id, lookup, false))
      case "getMany":
        return Effect.flatMap(run(store.getMany(collection, keys)), (lookups) =>
          Effect.forEach(lookups, (lookup, index) => told(`${collection.name}/${keys[index]}`, lookup, false))
        )
      case "set": {
        const change = history.invoke("set", isolate, [id], asked.tags)
        const options = { tags: asked.tags, ...(asked.ttl && { ttl: asked.ttl }) }
        return changing(change, store.set(collection, key, bytes(change.number), options), (written) => {
          change.expiresAt = written.expiresAt
          return written.acknowledged === "outside" ? "outside" : "stored"
        })
      }
      case "delete":
        return changing(history.invoke("delete", isolate, [id], []), store.delete(collection, key), (acknowledged) =>
          acknowledged === "outside" ? "outside" : "stored"
        )
      case "load": {
        const load = Effect.gen(function* () {
          const change = history.invoke("fill", isolate, [id], asked.tags)
          change.alone = wasAlone(id)
          yield* Effect.sleep(asked.millis)
          history.end(change, asked.outcome === "fails" ? "failed" : "outside")
          if (asked.outcome === "fails") return yield* Effect.fail("no answer from the source")
          return asked.outcome === "none"
            ? Option.none()
            : Option.some({ value: bytes(change.number), tags: asked.tags })
        })
        return Effect.matchEffect(run(store.getOrLoad(collection, key, load)), {
          onFailure: () => Effect.void,
          onSuccess: (lookup) => told(id, lookup, true)
        })
      }
      case "invalidate":
        return changing(
          history.invoke("invalidate", isolate, [], asked.tags),
          store.invalidateTags(asked.tags),
          () => "stored"
        )
      case "clear":
        return changing(
          history.invoke("clear", isolate, [`${collection.name}/`], []),
          store.clear(collection),
          () => "stored"
        )
    }
  })

/** Brings what was parked home, looks at every key from everywhere, and then does it all again. */
const settle = (plan: Scenario, world: World, history: DurableHistory) =>
  Effect.gen(function* () {
    const readAll = Effect.forEach(
      world.isolates,
      (_, isolate) =>
        Effect.forEach(collections, (_, collection) =>
          ask(isolate, { _: "getMany", collection }, plan, world, history)
        ),
      { concurrency: "unbounded", discard: true }
    )
    yield* Effect.sleep("130 seconds")
    for (let number = 0; number < plan.shards; number++) {
      if (!world.objects[number]!.ready) history.broken(`shard ${number} was not restored`)
    }
    const swept = yield* world.sweep
    if (!swept.complete || swept.failed > 0) history.broken("a sweep in fair weather left something parked")
    yield* readAll
    history.settled()
    const lapsed = new Set(history.ids().filter((id) => history.hasLapsed(id)))
    const images = () =>
      world.objects.map(({ shard }) =>
        JSON.stringify(
          shard
            .capture()
            .image.rows.filter(({ id }) => !lapsed.has(id))
            .map(rowText)
        )
      )
    const before = images()
    yield* Effect.forEach(world.objects, (_, number) => world.restart(number))
    yield* world.forgetAdopted
    yield* world.sweep
    history.resend((number, writes, now) => world.objects[number]!.shard.apply(writes, now))
    const after = images()
    for (const [number, image] of before.entries()) {
      if (after[number] !== image)
        history.broken(`doing it all again changed shard ${number}: ${image} to ${after[number]}`)
    }
  })

const rowText = ({
  body,
  id,
  version
}: {
  readonly id: string
  readonly version: object
  readonly body: { readonly value: Uint8Array } | undefined
}) => [id, body && numberIn(body.value), version]
