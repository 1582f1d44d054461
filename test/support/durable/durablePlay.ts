import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as VirtualTime from "../../../src/layers/simulation/VirtualTime.ts"
import type { Lookup } from "../../../src/services/store/Store.ts"
import { imageIn } from "../snapshots/wholeImages.ts"
import { type DurableHistory, makeHistory } from "./durableHistory.ts"
import { type Change, numberIn } from "./durableRecord.ts"
import {
  allIsolates,
  collections,
  keys,
  largeBytes,
  type Operation,
  type Scenario,
  type Step
} from "./durableScenario.ts"
import * as DurableWorld from "./durableWorld.ts"

const start = 1_700_000_000_000

const bytes = (number: number, large = false) => new TextEncoder().encode(String(number).padEnd(large ? largeBytes : 0))

/** Plays a scenario in virtual time. Throws, with its trace, at the first rule that it breaks. */
export const run = (plan: Scenario): DurableHistory => {
  const time = VirtualTime.make(start, plan.seed)
  const history = makeHistory(() => Math.floor(time.now()), plan, start)
  const exit = time.run(play(plan, history))
  const found = history.found()
  if (found !== undefined || Exit.isFailure(exit)) {
    const why = found ?? (Exit.isFailure(exit) ? Cause.pretty(exit.cause) : "")
    throw new Error(`${why}\n\n${history.lines.join("\n")}\n`)
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
      if (history.found() !== undefined) return
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
      return Effect.sync(() => {
        if (step.isolate === allIsolates) history.count("shard away from all")
        const blind = step.isolate === allIsolates ? [...world.isolates.keys()] : [step.isolate]
        for (const isolate of blind) world.outage(isolate, step.shard % plan.shards, step.millis)
      })
    case "kv":
      return Effect.sync(() => world.refuse(step.kinds, step.reason, step.millis))
    case "sweep":
      return Effect.ignore(world.sweep)
    case "die":
      return world.kill(step.isolate)
    case "reshard":
      return Effect.ignore(world.reshard(step.shards, step.operations))
    default:
      return world[step._](world.nameAt(step.shard))
  }
}

const ask = (
  isolate: number,
  asked: Operation,
  { main, packed = [] }: Scenario,
  world: World,
  history: DurableHistory
) =>
  Effect.suspend((): Effect.Effect<unknown, unknown> => {
    const { run, stamped: _, store } = world.isolates[isolate]!
    const declared = collections[(main + ("collection" in asked ? asked.collection : 0)) % collections.length]!
    const isPacked = packed[history.lines.length % packed.length] ?? false
    const collection = isPacked ? { ...declared, policy: { ...declared.policy, packed: true } } : declared
    const key = keys["key" in asked ? asked.key : 0]!
    const id = `${collection.name}/${key}`
    const invokedAt = history.now()

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
          answeredAt: history.now(),
          found: lookup.entry && numberIn(lookup.entry.value),
          lookup,
          loadable,
          longest: Math.max(memoryTtl, edgeTtl),
          beyond: Math.max(staleFor, graceFor)
        })
      })

    const untold = (id: string) => Effect.sync(() => history.unread({ id, isolate, invokedAt }))

    switch (asked._) {
      case "get":
        return Effect.matchEffect(run(store.get(collection, key)), {
          onFailure: () => untold(id),
          onSuccess: (lookup) => told(id, lookup, false)
        })
      case "getMany":
        return Effect.flatMap(run(store.getMany(collection, keys)), (results) =>
          Effect.forEach(results, (result, index) => {
            const id = `${collection.name}/${keys[index]}`
            return result._tag === "Done" ? told(id, result.value, false) : untold(id)
          })
        )
      case "set": {
        const change = history.invoke("set", isolate, [id], asked.tags)
        const options = { tags: asked.tags, ...(asked.ttl && { ttl: asked.ttl }) }
        return changing(change, store.set(collection, key, bytes(change.number, asked.large), options), (written) => {
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
    for (const [name, { recovery }] of world.objects) {
      if (!recovery.isSettled()) history.broken(`${name} was not recovered`)
    }
    yield* world.endReshard
    const inForce = world.inForce()
    for (const [name, { shard }] of world.objects) {
      const seal = shard.seal()
      if (seal === undefined) continue
      if (!seal.complete) history.broken(`${name} never gave all its keys away`)
      if (imageIn(shard).rows.length > 0) history.broken(`${name} has kept rows that it gave away`)
    }
    const swept = yield* world.sweep
    if (!swept.complete || swept.failed > 0) history.broken("a sweep in fair weather left something parked")
    yield* readAll
    history.settled()
    const lapsed = new Set(history.ids().filter((id) => history.hasLapsed(id)))
    yield* Effect.sleep(2000)
    const images = () =>
      inForce.map((name) =>
        JSON.stringify(
          imageIn(world.objects.get(name)!.shard)
            .rows.filter(({ id }) => !lapsed.has(id))
            .map(rowText)
        )
      )
    const before = images()
    yield* Effect.forEach(inForce, world.restart)
    yield* world.forgetAdopted
    yield* world.sweep
    history.resend((name, writes, now) => world.objects.get(name)!.shard.apply(writes, now))
    const after = images()
    for (const [number, image] of before.entries()) {
      if (after[number] !== image)
        history.broken(`doing it all again changed ${inForce[number]}: ${image} to ${after[number]}`)
    }
    yield* Effect.forEach(inForce, world.flush)
    yield* world.loseAll
    for (const [number, image] of images().entries()) {
      if (after[number] !== image) {
        history.broken(`a snapshot and a restore changed ${inForce[number]}: ${after[number]} to ${image}`)
      }
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
