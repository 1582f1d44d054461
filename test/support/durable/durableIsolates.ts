import type * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as DurableShards from "../../../src/layers/durable/durableShards.ts"
import { guarded } from "../../../src/layers/durable/guardedCalls.ts"
import type { ShardCall } from "../../../src/layers/durable/object/shardHandoff.ts"
import * as RecordedTopologyKv from "../../../src/layers/durable/RecordedTopologyKv.ts"
import * as StoreDurable from "../../../src/layers/routing/StoreDurable.ts"
import * as OutboxKv from "../../../src/layers/snapshots/OutboxKv.ts"
import * as SnapshotsKv from "../../../src/layers/snapshots/SnapshotsKv.ts"
import * as EdgeCacheMemory from "../../../src/layers/tiers/EdgeCacheMemory.ts"
import * as MemoryTierLru from "../../../src/layers/tiers/MemoryTierLru.ts"
import * as ReadPathTiered from "../../../src/layers/tiers/ReadPathTiered.ts"
import * as SingleFlightDeferred from "../../../src/layers/tiers/SingleFlightDeferred.ts"
import { Background, type BackgroundService } from "../../../src/services/base/Background.ts"
import { breakerLimits } from "../../../src/services/base/model/Breaker.ts"
import type { Topology } from "../../../src/services/durable/model/Topology.ts"
import type { Kv } from "../../../src/services/kv/Kv.ts"
import type { Ledger } from "../../../src/services/ledger/Ledger.ts"
import { defaults } from "../../../src/services/settings/Settings.ts"
import type { Stamp } from "../../../src/services/store/model/Entry.ts"
import * as Stamper from "../../../src/services/store/Stamper.ts"
import type { Store } from "../../../src/services/store/Store.ts"
import { largeBytes } from "./durableScenario.ts"
import type { DurableTrace } from "./durableTrace.ts"

/** Instead of a megabyte: what is large here is so beside this. */
const bytesPerSecond = 4000

interface Isolate {
  readonly store: Store["Type"]
  readonly run: <A, E>(effect: Effect.Effect<A, E>) => Effect.Effect<A, E>
  readonly kill: Effect.Effect<void>
  stamped: (stamp: Stamp) => void
}

/** What isolates have around them. */
interface Surroundings {
  readonly clock: Clock.Clock
  readonly ledger: Ledger["Type"]
  readonly first: Topology
  readonly wire: (isolate: number) => ShardCall
  /** Where their outside writes go. */
  readonly kv: Kv["Type"]
  readonly kvAt: (location: string) => Kv["Type"]
}

interface IsolatesPlan {
  readonly seed: number
  readonly skews: ReadonlyArray<number>
  readonly edge: boolean
  readonly reshards: boolean
}

/** Isolates with clocks of their own, in two locations. */
export const makeIsolates = (
  plan: IsolatesPlan,
  { clock, first, kv, kvAt, ledger, wire }: Surroundings,
  { tell }: Pick<DurableTrace, "tell">
) => {
  const settings = { ...defaults, breakerThreshold: 3, breakerCooldown: Duration.seconds(4), shards: first.shards }

  // An edge as slow as the plan's seed says: what happens meanwhile overtakes it.
  const edge = () => {
    const cache = EdgeCacheMemory.make()
    const millis = plan.seed % 4 === 0 ? 0 : plan.seed % 90
    return { ...cache, match: (id: string) => Effect.delay(cache.match(id), millis) }
  }
  const edges = [edge(), edge()]
  const noEdge = { ...EdgeCacheMemory.make(), enabled: false }
  let started = 0

  const start = (number: number): Isolate => {
    const skew = plan.skews[number]!
    const own: Clock.Clock = {
      ...clock,
      unsafeCurrentTimeMillis: () => clock.unsafeCurrentTimeMillis() + skew,
      currentTimeMillis: Effect.map(clock.currentTimeMillis, (now) => now + skew)
    }
    const location = `isolate-${number % 2}`
    const work = new Set<Fiber.RuntimeFiber<unknown, unknown>>()
    const kept = <A, E>(effect: Effect.Effect<A, E>) =>
      Effect.map(Effect.forkDaemon(effect), (fiber) => {
        work.add(fiber)
        fiber.addObserver(() => work.delete(fiber))
        return fiber
      })
    const background: BackgroundService = {
      run: (effect) => Effect.contextWithEffect((context) => Effect.asVoid(kept(Effect.provide(effect, context)))),
      promise: () => undefined
    }
    const name = `w${number}-${started++}`
    const given = Stamper.make(() => name)
    const stamper: typeof given = {
      next: (now) => {
        const stamp = given.next(now)
        isolate.stamped(stamp)
        return stamp
      }
    }
    const deadline = { base: settings.durableDeadline, bytesPerSecond }
    const call = guarded(wire(number), { deadline, breaker: breakerLimits(settings) })
    const durable = DurableShards.make(call, first, deadline)
    const readPath = ReadPathTiered.make(
      settings,
      MemoryTierLru.make(1_000_000),
      plan.edge ? edges[number % edges.length]! : noEdge,
      SingleFlightDeferred.make(),
      (value) => value.byteLength
    )
    const isolate: Isolate = {
      store: StoreDurable.make({
        durable,
        outbox: OutboxKv.make(kv),
        snapshots: SnapshotsKv.make(kvAt(location)),
        readPath,
        settings,
        stamper,
        ledger,
        recorded: plan.reshards ? RecordedTopologyKv.make(kvAt(location)) : undefined,
        remembered: { bytes: largeBytes, ids: 4 }
      }),
      run: (effect) =>
        Effect.flatMap(
          kept(effect.pipe(Effect.withClock(own), Effect.provideService(Background, background))),
          Fiber.join
        ),
      kill: Effect.suspend(() => Effect.forEach([...work], Fiber.interruptFork, { discard: true })),
      stamped: () => {}
    }
    return isolate
  }

  const isolates = plan.skews.map((_, number) => start(number))
  return {
    isolates: isolates as ReadonlyArray<Isolate>,
    /** One dies, and another takes its place. */
    kill: (number: number) =>
      Effect.zipRight(
        isolates[number]!.kill,
        Effect.sync(() => {
          tell(`isolate ${number} dies`)
          isolates[number] = start(number)
        })
      )
  }
}
