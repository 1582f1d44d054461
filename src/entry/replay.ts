import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as VirtualTime from "../layers/internal/VirtualTime.ts"
import * as LedgerMemory from "../layers/LedgerMemory.ts"
import * as WorkloadAlerts from "../layers/WorkloadAlerts.ts"
import { replayWorkload } from "../programs/replayWorkload.ts"
import { define, type Policy } from "../services/Collection.ts"
import type { Replayed, Sample } from "../services/Replayed.ts"
import { defaults } from "../services/Settings.ts"
import { type TraceNotes, toWorkload } from "../services/Trace.ts"
import { countsOf, uniqueBytes, Workload } from "../services/Workload.ts"
import * as replayClf from "./replayClf.ts"
import * as replayCsv from "./replayCsv.ts"
import * as replayFile from "./replayFile.ts"
import * as ReplayIsolates from "./replayIsolates.ts"
import { type ReplayOptions, stackNamed, UsageError } from "./replayOptions.ts"

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
  Effect.map(workloadOf(options, progress), (workload) => {
    for (const flag of options.idle) progress.note(`${flag} has no effect yet.`)
    const counts = countsOf(workload)
    const stacks: Array<StackResult> = []
    const curves: Array<Replay["curves"][number]> = []
    for (const name of options.stacks) {
      progress.begin(name, workload.length)
      const { failed, figures, samples } = runStack(name, workload, options, progress.advance)
      progress.end()
      if (failed > 0) progress.note(`${name}: ${failed} operations failed.`)
      stacks.push({ stack: name, ...figures })
      curves.push({ stack: name, samples })
    }
    const { reads, requests, writes } = counts
    return { result: { workload: workload.name, requests, reads, writes, seed: options.seed, stacks }, curves }
  })

const runStack = (
  name: string,
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
  const program = replayWorkload({ isolates, locations, meanLife: options.isolateLife * 1000, seed }, onProgress).pipe(
    Effect.provide(ReplayIsolates.layer({ stack: stackNamed(name)!, memoryBytes, shards, plan, seed })),
    Effect.provideService(Workload, workload),
    Effect.provide(LedgerMemory.layer)
  )
  const time = VirtualTime.make(workload.request(0).at, seed)
  return Exit.getOrElse(time.run(program), (cause) => {
    throw new Error("The replay itself failed.", { cause })
  })
}

const workloadOf = (options: ReplayOptions, progress: Progress): Effect.Effect<Workload["Type"], UsageError> => {
  const { seed, source, ttl } = options
  const windows: Partial<Policy> =
    ttl === undefined
      ? {}
      : { memoryTtl: forSeconds(ttl), edgeTtl: forSeconds(ttl), negativeTtl: forSeconds(ttl), jitter: 0 }
  if (source.kind === "scenario") {
    return Effect.succeed(
      WorkloadAlerts.make(seed, {
        states: define("alert-states", windows),
        throttle: define("throttle", windows)
      })
    )
  }
  return replayFile.read(source.file, source.format === "csv" ? replayCsv.read : replayClf.read).pipe(
    Effect.mapBoth({
      onFailure: ({ detail }) => new UsageError({ message: detail }),
      onSuccess: (trace) => {
        for (const note of notesOn(trace.notes)) progress.note(note)
        return toWorkload(trace, define("default", { ttl: Duration.infinity, ...windows }))
      }
    })
  )
}

const forSeconds = (seconds: number): Duration.Duration =>
  seconds === Number.POSITIVE_INFINITY ? Duration.infinity : Duration.seconds(seconds)

const notesOn = ({ cappedValues, hashedKeys, reordered, unparsed }: TraceNotes): ReadonlyArray<string> => [
  ...(hashedKeys > 0 ? [`${hashedKeys} keys that KV would not take were replaced by their hash.`] : []),
  ...(cappedValues > 0 ? [`${cappedValues} values over 25 MiB were cut to that.`] : []),
  ...(reordered > 0 ? [`${reordered} requests stood behind later ones and were put in order.`] : []),
  ...(unparsed > 0 ? [`${unparsed} lines hold no request to a cache and were left out.`] : [])
]
