import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as LedgerMemory from "../../layers/ledger/LedgerMemory.ts"
import * as WorkloadAlerts from "../../layers/replay/WorkloadAlerts.ts"
import * as WorkloadCrawler from "../../layers/replay/WorkloadCrawler.ts"
import * as WorkloadTradingDay from "../../layers/replay/WorkloadTradingDay.ts"
import * as VirtualTime from "../../layers/simulation/VirtualTime.ts"
import * as StaticDataBundled from "../../layers/static-data/StaticDataBundled.ts"
import { replayWorkload } from "../../programs/replay/replayWorkload.ts"
import type { Replayed, Sample } from "../../services/replay/model/Replayed.ts"
import { type TraceNotes, toWorkload } from "../../services/replay/model/Trace.ts"
import * as TradingDay from "../../services/replay/model/TradingDay.ts"
import { countsOf, uniqueBytes, Workload } from "../../services/replay/Workload.ts"
import { defaults } from "../../services/settings/Settings.ts"
import { defaultStaticBytes } from "../../services/static-data/StaticSettings.ts"
import { define } from "../../services/store/model/Collection.ts"
import * as traceFile from "./readers/traceFile.ts"
import * as ReplayIsolates from "./replayIsolates.ts"
import { type Parts, partsNamed, type ReplayOptions, UsageError } from "./replayOptions.ts"

/** What `--json` prints. A request is one invocation: a line of a trace, or one firing of a cron. */
export interface ReplayResult {
  readonly workload: string
  readonly requests: number
  /** Logical reads and writes that the requests ask for. */
  readonly reads: number
  readonly writes: number
  readonly seed: number
  readonly stacks: ReadonlyArray<StackResult>
}

export interface StackResult extends Replayed {
  /** The stack's name as it was asked for. */
  readonly stack: string
}

/** The result, and what only the table and the report show. */
export interface Replay {
  readonly result: ReplayResult
  /** Reads of all stacks that returned another entry's value: there must be none. */
  readonly wrongReads: number
  readonly curves: ReadonlyArray<{ readonly stack: string; readonly samples: ReadonlyArray<Sample> }>
}

/** Where the replay tells what it is doing. */
export interface Progress {
  readonly note: (line: string) => void
  readonly begin: (stack: string, requests: number) => void
  readonly advance: (requests: number) => void
  readonly end: () => void
}

/** Replays the workload on every stack, one after the other, each in a world of its own. */
export const replay = (options: ReplayOptions, progress: Progress): Effect.Effect<Replay, UsageError> =>
  Effect.map(workloadOf(options, progress), (workloadFor) => {
    const counts = countsOf(workloadFor(new Set()))
    let workloadName = ""
    let wrongReads = 0
    const stacks: Array<StackResult> = []
    const curves: Array<Replay["curves"][number]> = []
    for (const name of options.stacks) {
      const parts = partsNamed(name, options.without)!
      const workload = workloadFor(parts)
      workloadName = workload.name
      progress.begin(name, workload.length)
      const { failed, figures, samples, wrong } = runStack(parts, workload, options, progress.advance)
      progress.end()
      if (failed > 0) progress.note(`${name}: ${failed} operations failed.`)
      if (wrong > 0) progress.note(`${name}: ${wrong} reads returned the value of another entry.`)
      wrongReads += wrong
      stacks.push({ stack: name, ...figures })
      curves.push({ stack: name, samples })
    }
    const { reads, requests, writes } = counts
    return {
      result: { workload: workloadName, requests, reads, writes, seed: options.seed, stacks },
      curves,
      wrongReads
    }
  })

const runStack = (
  parts: Parts,
  workload: Workload["Type"],
  options: ReplayOptions,
  onProgress: (requests: number) => void
) => {
  const { isolates, locations, memory, plan, seed, shards } = options
  const memoryBytes =
    memory === undefined
      ? defaults.memoryBytes
      : "bytes" in memory
        ? memory.bytes
        : Math.max(1, Math.floor(uniqueBytes(workload) * memory.share))
  const program = replayWorkload(
    { isolates, locations, meanLife: options.isolateLife * 1000, seed },
    onProgress,
    plan
  ).pipe(
    Effect.provide(
      ReplayIsolates.layer({
        parts,
        memoryBytes,
        shards,
        plan,
        seed,
        budgetWrites: options.budgetWrites,
        prefetchPrecision: options.prefetchPrecision
      })
    ),
    Effect.provideService(Workload, workload),
    Effect.provide(LedgerMemory.layer)
  )
  const time = VirtualTime.make(workload.request(0).at, seed)
  return Exit.getOrElse(time.run(program), (cause) => {
    throw new Error("The replay itself failed.", { cause })
  })
}

/** The workload as a stack of these parts keeps it: the same requests, under the policies that its parts can follow. */
const workloadOf = (
  options: ReplayOptions,
  progress: Progress
): Effect.Effect<(parts: Parts) => Workload["Type"], UsageError> => {
  const { cacheAside, fills, first, seed, source, ttl } = options
  const windows =
    ttl === undefined
      ? {}
      : { memoryTtl: forSeconds(ttl), edgeTtl: forSeconds(ttl), negativeTtl: forSeconds(ttl), jitter: 0 }
  if (source.kind === "scenario") {
    const scenario = (parts: Parts) => {
      const collections = TradingDay.collections({
        ...windows,
        fills,
        ...(parts.has("pack") ? {} : { packed: undefined }),
        ...(parts.has("batch") ? {} : { write: "through" })
      })
      if (source.name === "crawler") {
        const pages = define("pages", { ttl: "24 hours", ...windows, fills })
        return WorkloadCrawler.make(seed, pages, cacheAside ?? crawledMillis)
      }
      return source.name === "alerts"
        ? WorkloadAlerts.make(seed, collections)
        : WorkloadTradingDay.make(seed, collections, tables())
    }
    return Effect.succeed((parts) => {
      const whole = scenario(parts)
      return { ...whole, length: Math.min(first ?? whole.length, whole.length) }
    })
  }
  return traceFile.read(source.file, { ...source, first }).pipe(
    Effect.mapBoth({
      onFailure: ({ detail }) => new UsageError({ message: detail }),
      onSuccess: (trace) => {
        for (const note of notesOn(trace.notes)) progress.note(note)
        const workload = toWorkload(trace, define("default", { ttl: Duration.infinity, ...windows, fills }), cacheAside)
        return () => workload
      }
    })
  )
}

/** How long a page of the scenario crawler takes to make, unless said otherwise. Milliseconds. */
const crawledMillis = 50

/** Those of the bundled tables, the best-known symbols first. */
const tables = (): WorkloadTradingDay.TradingDayTables => {
  const data = StaticDataBundled.make(defaultStaticBytes, () => 0)
  const stocks = data.symbols.filter(({ kind }) => kind === "stock").map(({ symbol }) => symbol)
  const known = ["AAPL", "MSFT", "NVDA", "GOOGL", "AMZN"].filter((symbol) => stocks.includes(symbol))
  return { symbols: [...new Set([...known, ...stocks])], sectors: data.sectors.map(({ etf }) => etf) }
}

const forSeconds = (seconds: number): Duration.Duration =>
  seconds === Number.POSITIVE_INFINITY ? Duration.infinity : Duration.seconds(seconds)

const notesOn = (notes: TraceNotes): ReadonlyArray<string> => {
  const { assumedSize, cappedValues, hashedKeys, refusedWrites, reordered, unparsed, unsizedKeys } = notes
  return [
    ...(hashedKeys > 0 ? [`${hashedKeys} keys that KV would not take were replaced by their hash.`] : []),
    ...(cappedValues > 0 ? [`${cappedValues} values over 25 MiB were cut to that.`] : []),
    ...(reordered > 0 ? [`${reordered} requests stood behind later ones and were put in order.`] : []),
    ...(unparsed > 0 ? [`${unparsed} lines hold no request to a cache and were left out.`] : []),
    ...(refusedWrites > 0 ? [`${refusedWrites} writes that had failed or been refused were left out.`] : []),
    ...(unsizedKeys > 0 ? [`${unsizedKeys} keys whose size no line says count as ${assumedSize} bytes each.`] : [])
  ]
}
