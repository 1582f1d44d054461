import * as Clock from "effect/Clock"
import * as Data from "effect/Data"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type { DurableCacheError } from "../../services/durable/DurableCache.ts"
import { expectedOf } from "../../services/durable/model/ReshardBill.ts"
import { placesOf, type Topology } from "../../services/durable/model/Topology.ts"
import {
  RecordedTopology,
  type RecordedTopologyError,
  type TopologyRecord
} from "../../services/durable/RecordedTopology.ts"
import { Resharding, type ReshardingService, type ReshardState } from "../../services/durable/Resharding.ts"
import { Ledger } from "../../services/ledger/Ledger.ts"
import * as MigrationBill from "../../services/ledger/model/MigrationBill.ts"
import { compareStamps, type Stamp } from "../../services/store/model/Entry.ts"

/** `Absent`: this Worker has no objects. `UnderWay`: keys are moving to another number of shards, `to`. */
export class ReshardError extends Data.TaggedError("ReshardError")<{
  readonly reason: "Absent" | "UnderWay"
  readonly to?: Topology
}> {}

export interface ReshardOptions {
  readonly shards: number
  /** Only say what it will bill. */
  readonly dryRun: boolean
  /** Calls of bindings after which a run stops. Default 900 of the 1,000 there are. */
  readonly operations?: number
  /** How long a run goes on. Default 30 s. */
  readonly patience?: Duration.Duration
}

export interface Resharded {
  readonly from: Topology
  readonly to: Topology
  readonly dryRun: boolean
  /** Rows that this run handed over: entries and tombstones. */
  readonly moved: number
  /** Rows that the objects before still keep. */
  readonly left: number
  /** Whether all keys have moved, and nothing of them is left behind. */
  readonly complete: boolean
  /** By this isolate's ledger, with whatever else it did meanwhile; in a dry run, what is expected at most. */
  readonly billed: MigrationBill.Bill
  readonly usd: number
}

type Failure = ReshardError | DurableCacheError | RecordedTopologyError

/**
 * Changes the number of shards. It may die anywhere, and goes on where it stopped when it is run again: the objects
 * remember how far they are, and what was begun decides where keys go. Once rows move the objects go on by themselves.
 */
export const reshardDurable = (options: ReshardOptions): Effect.Effect<Resharded, Failure, Ledger> =>
  Effect.gen(function* () {
    const { dryRun, operations = 900, patience = Duration.seconds(30), shards } = options
    const objects = yield* Resharding
    const recorded = yield* RecordedTopology
    if (objects === undefined || recorded === undefined) return yield* new ReshardError({ reason: "Absent" })
    const ledger = yield* Ledger
    const before = ledger.report().total
    const until = (yield* Clock.currentTimeMillis) + Duration.toMillis(patience)

    const { from, states } = yield* survey(objects)
    const begun = states.find(({ seal }) => seal !== undefined)?.seal?.to
    if (begun !== undefined && begun.shards !== shards) {
      return yield* new ReshardError({ reason: "UnderWay", to: begun })
    }
    const rows = rowsIn(states)
    const isThere = begun === undefined && from.shards === shards
    const to = isThere ? from : (begun ?? { generation: from.generation + 1, shards })
    const ended = (billed: MigrationBill.Bill, moved: number, left: number, complete: boolean): Resharded => ({
      from,
      to,
      dryRun,
      moved,
      left,
      complete,
      billed,
      usd: MigrationBill.usd(billed)
    })
    if (isThere) {
      if (!dryRun && from.generation > 0) yield* record(recorded, from)
      return ended(MigrationBill.noBill, 0, 0, true)
    }
    if (dryRun) return ended(expectedOf(states, to), 0, rows, false)

    const spent = () => MigrationBill.between(before, ledger.report().total)
    yield* begin(objects, recorded, from, to, begun === undefined)

    const places = placesOf(from)
    let moved = 0
    let moving = states
    do {
      moving = yield* Effect.forEach(places, (place) => objects.step(place, { _tag: "Move" }), {
        concurrency: "unbounded"
      })
      moved += moving.reduce((sum, state) => sum + state.moved, 0)
      if (moving.every(isThrough)) {
        yield* finish(objects, recorded, from, to)
        return ended(spent(), moved, 0, true)
      }
    } while (
      MigrationBill.callsBetween(before, ledger.report().total) + 3 * from.shards < operations &&
      (yield* Clock.currentTimeMillis) < until
    )
    return ended(spent(), moved, rowsIn(moving), false)
  })

/**
 * The generation whose objects have not all given their keys away for good, and how far each of them is. Those who know
 * least lead there: what a run did not come to, another finds.
 */
const survey = (
  objects: ReshardingService
): Effect.Effect<{ readonly from: Topology; readonly states: ReadonlyArray<ReshardState> }, DurableCacheError> => {
  const look = (from: Topology): ReturnType<typeof survey> =>
    Effect.flatMap(
      Effect.forEach(placesOf(from), (place) => objects.step(place, { _tag: "Look" }), { concurrency: "unbounded" }),
      (states) => {
        const next = states.every(({ seal }) => seal?.complete === true)
          ? states.map(({ seal }) => seal!.to).reduce((a, b) => (b.generation < a.generation ? b : a))
          : from
        return next === from ? Effect.succeed({ from, states }) : look(next)
      }
    )
  return look(objects.first)
}

/**
 * Every object is sealed before any tells its tag marks, and all have told theirs before any row moves: a mark that
 * came to a new object later could end what was written there since. The first object decides between two who begin at
 * once. What was written until now is saved first.
 */
const begin = (
  objects: ReshardingService,
  recorded: NonNullable<RecordedTopology["Type"]>,
  from: Topology,
  to: Topology,
  isNew: boolean
): Effect.Effect<void, Failure> =>
  Effect.gen(function* () {
    const places = placesOf(from)
    if (isNew) yield* Effect.forEach(places, objects.flush, { concurrency: "unbounded", discard: true })
    const [first, ...others] = places
    const { seal } = yield* objects.step(first!, { _tag: "Seal", to })
    if (seal!.to.shards !== to.shards) return yield* new ReshardError({ reason: "UnderWay", to: seal!.to })
    yield* record(recorded, { ...from, to })
    const tell = (step: Parameters<ReshardingService["step"]>[1], of = places) =>
      Effect.forEach(of, (place) => objects.step(place, step), { concurrency: "unbounded", discard: true })
    yield* tell({ _tag: "Seal", to }, others)
    const told = yield* Effect.forEach(places, (place) => objects.step(place, { _tag: "Marks" }), {
      concurrency: "unbounded"
    })
    yield* tell({ _tag: "Announce", marks: inCommon(told.map(({ marks }) => marks ?? new Map())) })
  })

/**
 * Of each tag that every object has a mark of, the lowest. Rows are dead or alive by the marks of their own object, and
 * only the living move: a mark of another object, set a little later by its clock, must not end one of them. What it has
 * yet to end was written outside before the invalidation, and all marks are later than that.
 */
const inCommon = (all: ReadonlyArray<ReadonlyMap<string, Stamp>>): ReadonlyMap<string, Stamp> => {
  const [first = new Map<string, Stamp>(), ...others] = all
  const marks = new Map<string, Stamp>()
  for (const [tag, mark] of first) {
    const known = others.flatMap((other) => other.get(tag) ?? [])
    if (known.length < others.length) continue
    marks.set(
      tag,
      known.reduce((a, b) => (compareStamps(b, a) < 0 ? b : a), mark)
    )
  }
  return marks
}

/** Isolates begin with the objects of the first generation: those learn where all keys are, whatever lies between. */
const finish = (
  objects: ReshardingService,
  recorded: NonNullable<RecordedTopology["Type"]>,
  from: Topology,
  to: Topology
): Effect.Effect<void, Failure> =>
  Effect.gen(function* () {
    for (const topology of from.generation === 0 ? [from] : [objects.first, from]) {
      yield* Effect.forEach(placesOf(topology), (place) => objects.step(place, { _tag: "Complete", to }), {
        concurrency: "unbounded",
        discard: true
      })
    }
    yield* record(recorded, to)
  })

/** Written where it says something else. */
const record = (recorded: NonNullable<RecordedTopology["Type"]>, next: TopologyRecord) =>
  Effect.flatMap(recorded.read, (known) =>
    known?.generation === next.generation && known.to?.generation === next.to?.generation
      ? Effect.void
      : recorded.write(next)
  )

const isThrough = ({ dropped, seal, stats }: ReshardState): boolean =>
  seal?.phase === "retired" && dropped === 0 && stats.entries + stats.tombstones === 0

const rowsIn = (states: ReadonlyArray<ReshardState>): number =>
  states.reduce((sum, { stats }) => sum + stats.entries + stats.tombstones, 0)
