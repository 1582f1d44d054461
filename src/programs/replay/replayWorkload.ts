import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import { Leap } from "../../services/base/Leap.ts"
import { Ledger, usageOf } from "../../services/ledger/Ledger.ts"
import { type BilledPeriod, billOf } from "../../services/ledger/model/Bill.ts"
import type { Usage } from "../../services/ledger/model/Prices.ts"
import { kvLowerBoundOf } from "../../services/replay/model/KvLowerBound.ts"
import * as Placement from "../../services/replay/model/Placement.ts"
import {
  hitRatioOf,
  latencyOf,
  newTally,
  type Replayed,
  type Sample,
  totalOf
} from "../../services/replay/model/Replayed.ts"
import * as WriteHistory from "../../services/replay/model/WriteHistory.ts"
import { type Isolate, ReplayFleet } from "../../services/replay/ReplayFleet.ts"
import { countsOf, coverableOf, Workload } from "../../services/replay/Workload.ts"
import { makeConsistencyOracle } from "./consistencyOracle.ts"
import { replayRequest } from "./replayRequest.ts"

/** Points of a cost curve. */
const samples = 400

/** How long work behind a response may last. Source: workers/platform/limits, 2026-07-28 (`waitUntil`, 30 s). */
const afterwards = Duration.seconds(30)

/**
 * Feeds a workload through isolates, each request at its moment whether or not those before it have been answered.
 * After the last one, work behind responses has its 30 seconds; then all isolates die, the store of record is compared
 * with what was acknowledged, and settles.
 */
export const replayWorkload = (
  fleet: Placement.Fleet,
  onProgress: (requests: number) => void = () => {},
  plan: BilledPeriod["plan"] = "paid"
): Effect.Effect<
  {
    readonly figures: Replayed
    readonly failed: number
    readonly wrong: number
    readonly samples: ReadonlyArray<Sample>
  },
  never,
  Workload | ReplayFleet | Ledger
> =>
  Effect.gen(function* () {
    const workload = yield* Workload
    const isolates = yield* ReplayFleet
    const ledger = yield* Ledger
    const clock = yield* Effect.clock
    const leap = yield* Leap
    const counts = countsOf(workload)
    const history = WriteHistory.make(workload.entries.length, counts.writes + counts.deletes)
    const tally = newTally()
    const oracle = makeConsistencyOracle(
      workload,
      history,
      tally,
      () => clock.unsafeCurrentTimeMillis(),
      isolates.lagMillis
    )
    const replay = replayRequest(workload, history, tally, oracle)
    const placement = Placement.make(fleet)
    const slots: Array<Isolate | undefined> = new Array(fleet.isolates).fill(undefined)
    const latencies = new Float64Array(workload.length)
    const answered = yield* Deferred.make<void>()
    let open = workload.length

    const occupy = (slot: number, location: number): Effect.Effect<Isolate> =>
      Effect.flatMap(isolates.start(location), (isolate) => {
        slots[slot] = isolate
        const life = placement.life()
        if (life === Number.POSITIVE_INFINITY) return Effect.succeed(isolate)
        const death = Effect.suspend(() => {
          slots[slot] = undefined
          return isolate.kill
        })
        return Effect.as(Effect.forkDaemon(Effect.delay(death, Duration.millis(life))), isolate)
      })

    const serve = (index: number, { cold, location, slot }: Placement.Place): Effect.Effect<void> =>
      Effect.suspend(() => {
        const request = workload.request(index)
        const started = clock.unsafeCurrentTimeNanos()
        const run = (isolate: Isolate): Effect.Effect<void> =>
          Effect.map(isolate.invoke(replay.run(isolate, request)), () => {
            latencies[index] = Number(clock.unsafeCurrentTimeNanos() - started) / 1e6
          })
        if (cold) {
          return Effect.flatMap(isolates.start(location), (isolate) =>
            Effect.zipLeft(run(isolate), Effect.forkDaemon(Effect.delay(isolate.kill, afterwards)))
          )
        }
        const warm = slots[slot]
        return warm === undefined ? Effect.flatMap(occupy(slot, location), run) : run(warm)
      }).pipe(
        Effect.matchCauseEffect({
          onFailure: (cause) => Deferred.failCause(answered, cause),
          onSuccess: () => (--open === 0 ? Deferred.succeed(answered, undefined) : Effect.void)
        })
      )

    const begin = workload.request(0).at
    const curve: Array<Sample> = []
    const sample = (at: number): void => {
      curve.push({ at, operations: totalOf(ledger.report().total.kv) })
    }
    const sampleEvery = (workload.request(workload.length - 1).at - begin) / samples
    const progressEvery = Math.ceil(workload.length / 100)

    let now = begin
    sample(now)
    for (let index = 0; index < workload.length; index++) {
      const request = workload.request(index)
      const { at } = request
      let alone = leap(at)
      if (at > now) {
        if (!alone) {
          yield* clock.sleep(Duration.millis(at - now))
          alone = leap(at)
        }
        now = at
        if (now >= begin + curve.length * sampleEvery) sample(now)
      }
      if (index % progressEvery === 0) onProgress(index)
      const place = placement.place(request)
      const warm = place.cold ? undefined : slots[place.slot]
      if (alone && warm !== undefined && replay.hit(warm, request)) open--
      else yield* Effect.forkDaemon(serve(index, place))
    }
    if (open > 0) yield* Deferred.await(answered)
    yield* clock.sleep(afterwards)
    yield* Effect.forEach(slots, (isolate) => isolate?.kill ?? Effect.void, { discard: true })
    onProgress(workload.length)

    const end = clock.unsafeCurrentTimeMillis()
    const values = yield* Effect.forEach(workload.entries, ({ collection, key }) => isolates.current(collection, key))
    const visible = values.map((value, entry) =>
      value === undefined ? history.absence(entry, end) : (oracle.versionOf(entry, value) ?? 0)
    )
    const lost = history.lost((entry) => visible[entry]!)
    yield* isolates.settle
    sample(now)
    const { byCollection, total } = ledger.report()
    const millis = Math.max(1000, end - begin)
    const stored = storedUsage(workload, (entry) => values[entry] !== undefined, isolates.keeps, millis)
    const usd = billOf(
      { ...usageOf(total), workerRequests: counts.requests, ...stored },
      { atRest: { ...isolates.atRest(millis), ...stored }, millis, plan, requests: counts.requests }
    )

    const figures: Replayed = {
      kv: total.kv,
      kvCalls: total.kvCalls,
      kvByCollection: Object.fromEntries(
        Object.entries(byCollection).flatMap(([name, { kv }]) => (totalOf(kv) === 0 ? [] : [[name, kv]]))
      ),
      refused: totalOf(total.kvRefused),
      durableObject: total.durableObject,
      edge: { matches: total.edge.matches, puts: total.edge.puts },
      hitRatio: hitRatioOf(tally, counts.reads),
      prefetch: isolates.predicted?.() ?? { issued: 0, used: 0, coverable: coverableOf(workload), covered: 0 },
      usd,
      usdPerMillionRequests: usd.perMillionRequests,
      latencyMs: latencyOf(latencies),
      staleReads: tally.staleReads,
      staleBeyondPolicy: tally.staleBeyondPolicy,
      staleness: Object.fromEntries(tally.staleness),
      lostWrites: lost.stored,
      loaderRuns: tally.loaderRuns,
      bufferedWrites: tally.bufferedWrites,
      bufferedLost: lost.buffered,
      bound: kvLowerBoundOf(workload)
    }
    return { figures, failed: tally.failed, wrong: tally.wrongReads, samples: curve }
  })

/** Bytes that a row or a KV value takes beside key and value: stamp, expiry, type. */
const overheadBytes = 64

const monthMillis = 30 * 86_400_000

/**
 * What is there at the end, stored for the whole time. An object's rows are in KV, too, as two generations of
 * snapshots, here without their compression.
 */
const storedUsage = (
  workload: Workload["Type"],
  isThere: (entry: number) => boolean,
  keeps: ReplayFleet["Type"]["keeps"],
  millis: number
): Usage => {
  const bytes = workload.entries.reduce(
    (sum, { key, size }, entry) => (isThere(entry) ? sum + size + key.length + overheadBytes : sum),
    0
  )
  const gbMonths = ((bytes / 1e9) * millis) / monthMillis
  return keeps === "kv"
    ? { kvStored: gbMonths, durableObjectStored: 0 }
    : { kvStored: 2 * gbMonths, durableObjectStored: gbMonths }
}
