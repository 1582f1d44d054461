import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as DurableShards from "../../../src/layers/durable/durableShards.ts"
import * as LedgerMemory from "../../../src/layers/ledger/LedgerMemory.ts"
import * as KvFaulty from "../../../src/layers/simulation/KvFaulty.ts"
import * as KvSimulated from "../../../src/layers/simulation/KvSimulated.ts"
import * as AdoptedNamesMemory from "../../../src/layers/snapshots/AdoptedNamesMemory.ts"
import * as OutboxKv from "../../../src/layers/snapshots/OutboxKv.ts"
import * as SweepOutbox from "../../../src/programs/snapshots/sweepOutbox.ts"
import { DurableCacheError } from "../../../src/services/durable/DurableCache.ts"
import { objectName, placesOf, type Topology } from "../../../src/services/durable/model/Topology.ts"
import type { KvOperation, KvReason } from "../../../src/services/kv/Kv.ts"
import type { KvKind } from "../../../src/services/ledger/model/KvKind.ts"
import { AdoptedNames } from "../../../src/services/snapshots/AdoptedNames.ts"
import { Outbox } from "../../../src/services/snapshots/Outbox.ts"
import type { DurableHistory } from "./durableHistory.ts"
import { makeIsolates } from "./durableIsolates.ts"
import { makeObjects, type SmallBase } from "./durableObjects.ts"
import { makeReshard } from "./durableReshard.ts"
import { type Fate, makeWires } from "./durableWires.ts"

export interface WorldPlan {
  readonly seed: number
  readonly shards: number
  /** Whether the number of shards may change. */
  readonly reshards: boolean
  /** Isolates, by how many milliseconds their clocks are ahead. */
  readonly skews: ReadonlyArray<number>
  readonly edge: boolean
  /** Whether what is large takes seconds from isolates to objects, and back. */
  readonly slow?: boolean
  /** Of the RPCs in order; all is well with those after. */
  readonly fates: ReadonlyArray<Fate>
  /** Of the operations of KV in order. */
  readonly faults: ReadonlyArray<KvFaulty.Fault | undefined>
  /** Rows that an object gives away, or drops, at once: the fewer, the longer its keys are in two places. */
  readonly pageRows: number
  /** Whether snapshots have a base, and the changes over it. */
  readonly base?: SmallBase | undefined
}

const kindOf: { readonly [O in KvOperation]: KvKind } = {
  get: "reads",
  getBulk: "reads",
  put: "writes",
  delete: "deletes",
  list: "lists"
}

/** Milliseconds after which every operation has ended: two reads of a shard, a lease, a load, a fill, and a follower. */
export const longestOperation = 60_000

/** Objects, isolates, and the wires between them, all of which may fail as planned. Made in virtual time. */
export const make = (plan: WorldPlan, history: DurableHistory) =>
  Effect.gen(function* () {
    const clock = yield* Clock.clockWith(Effect.succeed)
    const simulated = KvSimulated.makeWorld({
      seed: plan.seed,
      consistency: { reuse: 60_000, tail: { probability: 0.1, max: 60_000 }, ownWrites: 1, listLag: 60_000 }
    })
    let faults = plan.faults
    let callsToKv = 0
    const refusals = new Map<KvKind, { readonly until: number; readonly reason: KvReason }>()
    const refused = (operation: KvOperation): KvFaulty.Fault | undefined => {
      const refusal = refusals.get(kindOf[operation])
      return refusal === undefined || refusal.until <= clock.unsafeCurrentTimeMillis()
        ? undefined
        : { kind: "fail", reason: refusal.reason }
    }
    const kvAt = (location: string) =>
      KvFaulty.make(simulated.at(location), (operation, call) => {
        const refusal = refused(operation)
        if (refusal !== undefined) history.count(`KV refused ${kindOf[operation]}`)
        if (refusal !== undefined && wires.isAway()) history.count("two faults at once")
        const fault = refusal ?? faults[callsToKv++]
        if (fault !== undefined) history.tell(`KV ${operation} ${call}: ${fault.kind}`)
        return fault
      })
    const ledger = LedgerMemory.make(0)
    const kv = kvAt("objects")
    const outbox = OutboxKv.make(kv)

    const first: Topology = { generation: 0, shards: plan.shards }
    const world = makeObjects(
      plan,
      kv,
      outbox,
      (object, method, ...args) => wires.between(object, method, ...args),
      history
    )
    const { call, found, inForce, objects } = world
    const wires = makeWires(clock, plan, { call, lifeOf: (object) => objects.get(object) }, history)
    for (const place of placesOf(first)) yield* found(objectName(place))
    const isolates = makeIsolates(plan, { clock, first, kv, kvAt, ledger, wire: wires.from }, history)

    let adopted = AdoptedNamesMemory.make()
    const sweepWith = (names: AdoptedNames["Type"]) =>
      Effect.gen(function* () {
        const cache = DurableShards.make(wires.from(0), first)
        const sweepOutbox = yield* SweepOutbox.make((writes) =>
          Effect.flatMap(cache.apply(writes), (results) => {
            const failed = results.find((result) => result instanceof DurableCacheError)
            return failed === undefined ? Effect.void : Effect.fail(failed)
          })
        )
        return yield* Effect.timeout(sweepOutbox, "1 minutes")
      }).pipe(Effect.provideService(Outbox, outbox), Effect.provideService(AdoptedNames, names))

    return {
      ...isolates,
      ...makeReshard(wires.from(0), first, kv, ledger, history),
      objects,
      inForce,
      nameAt: world.nameAt,
      restart: world.restart,
      lose: (name: string) =>
        Effect.suspend(() => (plan.reshards && inForce().length < objects.size ? Effect.void : world.lose(name))),
      loseAll: Effect.suspend(() => Effect.forEach(inForce(), world.lose, { discard: true })),
      sweep: Effect.suspend(() => sweepWith(adopted)),
      forgetAdopted: Effect.sync(() => {
        adopted = AdoptedNamesMemory.make()
      }),
      flush: (name: string) => Effect.exit(call(name, "flush")),
      expire: (name: string) => Effect.map(clock.currentTimeMillis, (now) => objects.get(name)!.shard.sweep(1000, now)),
      outage: wires.outage,
      /** KV takes no operation of these kinds. */
      refuse: (kinds: ReadonlyArray<KvKind>, reason: KvReason, millis: number) => {
        history.tell(`KV refuses ${kinds.join(" and ")} for ${millis}: ${reason}`)
        for (const kind of kinds) refusals.set(kind, { until: clock.unsafeCurrentTimeMillis() + millis, reason })
      },
      heal: () => {
        history.tell("all is well again")
        wires.heal()
        faults = []
        refusals.clear()
      }
    }
  })
