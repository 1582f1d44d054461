import * as Clock from "effect/Clock"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import { type Bound, boundOf } from "../services/Bound.ts"
import { type Isolate, Isolates } from "../services/Isolates.ts"
import { type KvCounts, Ledger, usdOf } from "../services/Ledger.ts"
import * as Placement from "../services/Placement.ts"
import * as ReplayedValue from "../services/ReplayedValue.ts"
import { countsOf, coverableOf, Workload } from "../services/Workload.ts"
import * as WriteHistory from "../services/WriteHistory.ts"
import { newTally, replayRequest } from "./replayRequest.ts"

/** What a workload cost on one stack, and what its requests saw. */
export interface Replayed {
  /** Billed keys and calls, as counted at the KV port. */
  readonly kv: KvCounts
  readonly kvCalls: KvCounts
  /** Operations that KV refused; billed nowhere. */
  readonly refused: number
  readonly durableObject: { readonly requests: number; readonly rowsRead: number; readonly rowsWritten: number }
  readonly edge: { readonly matches: number; readonly puts: number }
  /** Reads answered by a tier ÷ all reads. */
  readonly hitRatio: { readonly memory: number; readonly edge: number; readonly durable: number; readonly kv: number }
  readonly prefetch: {
    readonly issued: number
    readonly used: number
    readonly coverable: number
    readonly covered: number
  }
  /** At list price, per million requests of the workload; a firing of a cron is a request. */
  readonly usdPerMillionRequests: number
  /** From a request's arrival to its answer. */
  readonly latencyMs: { readonly p50: number; readonly p95: number; readonly p99: number }
  /** Reads that returned less than the latest write acknowledged when they began. */
  readonly staleReads: number
  readonly lostWrites: number
  readonly bufferedWrites: number
  readonly bufferedLost: number
  readonly bound: Bound
}

/** Billed KV operations of all kinds up to a moment (milliseconds since the epoch). */
export interface Sample {
  readonly at: number
  readonly operations: number
}

/** Points of a cost curve. */
const samples = 400

/** How long work behind a response may last. Source: workers/platform/limits, 2026-07-28 (`waitUntil`, 30 s). */
const afterwards = Duration.seconds(30)

/**
 * Feeds a workload through isolates, each request at its moment whether or not those before it have been answered.
 * After the last one, work behind responses has its 30 seconds; then all isolates die and the store of record is
 * compared with what was acknowledged.
 */
export const replayWorkload = (
  fleet: Placement.Fleet,
  onProgress: (requests: number) => void = () => {}
): Effect.Effect<
  { readonly figures: Replayed; readonly failed: number; readonly samples: ReadonlyArray<Sample> },
  never,
  Workload | Isolates | Ledger
> =>
  Effect.gen(function* () {
    const workload = yield* Workload
    const isolates = yield* Isolates
    const ledger = yield* Ledger
    const clock = yield* Effect.clock
    const counts = countsOf(workload)
    const history = WriteHistory.make(workload.entries.length, counts.writes + counts.deletes)
    const tally = newTally()
    const replay = replayRequest(workload, history, tally)
    const placement = Placement.make(fleet)
    const slots: Array<Isolate | undefined> = new Array(fleet.isolates).fill(undefined)
    const latencies = new Float64Array(workload.length)
    const answered = yield* Deferred.make<void>()
    const curve: Array<Sample> = []
    const first = workload.request(0).at
    const sampleEvery = (workload.request(workload.length - 1).at - first) / samples
    const progressEvery = Math.ceil(workload.length / 100)
    let open = workload.length

    const sample = (at: number): void => {
      const { deletes, lists, reads, writes } = ledger.report().total.kv
      curve.push({ at, operations: reads + writes + deletes + lists })
    }

    const occupy = (slot: number, location: number): Effect.Effect<Isolate> =>
      Effect.flatMap(isolates.start(location), (isolate) => {
        slots[slot] = isolate
        const life = placement.life()
        if (life === Number.POSITIVE_INFINITY) return Effect.succeed(isolate)
        const end = Effect.suspend(() => {
          slots[slot] = undefined
          return isolate.kill
        })
        return Effect.as(Effect.forkDaemon(Effect.delay(end, Duration.millis(life))), isolate)
      })

    const serve = (index: number): Effect.Effect<void> =>
      Effect.suspend(() => {
        const request = workload.request(index)
        const { cold, location, slot } = placement.place(request)
        const started = clock.unsafeCurrentTimeNanos()
        const warm = cold ? undefined : slots[slot]
        const run = (isolate: Isolate): Effect.Effect<void> =>
          Effect.map(isolate.invoke(replay(isolate, request)), () => {
            latencies[index] = Number(clock.unsafeCurrentTimeNanos() - started) / 1e6
          })
        return warm !== undefined
          ? run(warm)
          : cold
            ? Effect.flatMap(isolates.start(location), (isolate) => Effect.zipRight(run(isolate), isolate.kill))
            : Effect.flatMap(occupy(slot, location), run)
      }).pipe(
        Effect.matchCauseEffect({
          onFailure: (cause) => Deferred.failCause(answered, cause),
          onSuccess: () => (--open === 0 ? Deferred.succeed(answered, undefined) : Effect.void)
        })
      )

    let now = yield* Clock.currentTimeMillis
    sample(first)
    for (let index = 0; index < workload.length; index++) {
      const { at } = workload.request(index)
      if (at > now) {
        yield* clock.sleep(Duration.millis(at - now))
        now = at
        if (sampleEvery > 0 && at >= first + curve.length * sampleEvery) sample(at)
      }
      if (index % progressEvery === 0) onProgress(index)
      yield* Effect.forkDaemon(serve(index))
    }
    yield* Deferred.await(answered)
    yield* clock.sleep(afterwards)
    yield* Effect.forEach(slots, (isolate) => isolate?.kill ?? Effect.void, { discard: true })
    onProgress(workload.length)

    const visible = yield* Effect.forEach(workload.entries, ({ collection, key }, entry) =>
      Effect.map(isolates.current(collection, key), (value) =>
        value === undefined ? history.absence(entry) : ReplayedValue.versionOf(value)
      )
    )
    const lost = history.lost((entry) => visible[entry]!)
    const { total } = ledger.report()
    sample(now)
    latencies.sort()
    const ratio = (answers: number): number => (counts.reads === 0 ? 0 : answers / counts.reads)

    const figures: Replayed = {
      kv: total.kv,
      kvCalls: total.kvCalls,
      refused: total.kvRefused.reads + total.kvRefused.writes + total.kvRefused.deletes + total.kvRefused.lists,
      durableObject: total.durableObject,
      edge: { matches: total.edge.matches, puts: total.edge.puts },
      hitRatio: {
        memory: ratio(tally.answered.memory),
        edge: ratio(tally.answered.edge),
        durable: ratio(tally.answered.durable),
        kv: ratio(tally.answered.kv)
      },
      prefetch: { issued: 0, used: 0, coverable: coverableOf(workload), covered: 0 },
      usdPerMillionRequests: (usdOf(total) / counts.requests) * 1e6,
      latencyMs: { p50: quantile(latencies, 0.5), p95: quantile(latencies, 0.95), p99: quantile(latencies, 0.99) },
      staleReads: tally.staleReads,
      lostWrites: lost.stored,
      bufferedWrites: tally.bufferedWrites,
      bufferedLost: lost.buffered,
      bound: boundOf(workload)
    }
    return { figures, failed: tally.failed, samples: curve }
  })

/** Nearest rank: the least value that the fraction of all values does not exceed. */
const quantile = (sorted: Float64Array, fraction: number): number =>
  sorted[Math.max(0, Math.ceil(fraction * sorted.length) - 1)]!
