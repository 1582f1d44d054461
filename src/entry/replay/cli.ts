import { openSync, writeFileSync } from "node:fs"
import { stripVTControlCharacters } from "node:util"
import * as CliConfig from "@effect/cli/CliConfig"
import * as Command from "@effect/cli/Command"
import * as HelpDoc from "@effect/cli/HelpDoc"
import * as Options from "@effect/cli/Options"
import * as ValidationError from "@effect/cli/ValidationError"
import * as NodeContext from "@effect/platform-node/NodeContext"
import { SingleBar } from "cli-progress"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import packageJson from "../../../package.json" with { type: "json" }
import { formats } from "./readers/formats.ts"
import { type Progress, replay } from "./replay.ts"
import { optionsOf, UsageError } from "./replayOptions.ts"
import { reportOf } from "./replayReport.ts"
import { rowsOf, titleOf } from "./replayTable.ts"

const text = (name: string, description: string) =>
  Options.optional(Options.withDescription(Options.text(name), description))

const flags = {
  trace: text(
    "trace",
    "A trace to replay: CSV with the header time,key,size,op[,session], or a log; gzip and zstd or not."
  ),
  format: text("format", `Format of the trace: auto (default), ${formats.join(", ")}.`),
  columns: text("columns", "Fields by name or place: key=url,time=ts,size=bytes,op=method,session=ip,ttl=ttl."),
  requests: text("requests", "Requests to replay, from the beginning. Default all."),
  scenario: text("scenario", "A made-up workload to replay instead: alerts, trading-day or crawler."),
  stack: text("stack", "Stacks to compare, separated by commas; direct+pack adds one part. Default direct,kv."),
  without: text("without", "A part to leave out of every stack: static, alias, memory, edge, batch, pack or prefetch."),
  memory: text("memory", "Memory tier of an isolate: bytes, or a share of the workload's unique bytes like 10%."),
  ttl: text("ttl", "Seconds for which every tier takes an answer for fresh, or none for ever (default for traces)."),
  isolates: text("isolates", "Isolates. Default 1 for traces, 6 for scenarios."),
  locations: text("locations", "Locations they are spread over. Default 1 for traces, 3 for scenarios."),
  isolateLife: text("isolate-life", "Mean seconds an isolate lives, or none. Default none for traces, else 900."),
  shards: text("shards", "Durable Objects of the stack durable, 1 to 64. Default 1."),
  cacheAside: text(
    "cache-aside",
    "Nothing is stored at first, and a read loads what is missing in so many milliseconds."
  ),
  fills: text("fills", "Which loads are stored: admitted (default) or all."),
  plan: text("plan", "paid (default) or free, with its daily limits."),
  budgetWrites: text("budget-writes", "KV writes that a day may cost. Default as many as it takes."),
  prefetchPrecision: text("prefetch-precision", "Precision that predictions are to reach, 0.05 to 0.99. Default 0.6."),
  seed: text("seed", "Seed of all chance. Default 1."),
  json: Options.withDescription(Options.boolean("json"), "Print one JSON object instead of a table."),
  report: text("report", "Write a page with a chart to this file.")
}

const print = (stream: NodeJS.WriteStream, line: string): void => void stream.write(`${line}\n`)

/** A bar per stack on a terminal; notes as lines; silence with `--json` but for the notes. */
const progressOn = (stream: NodeJS.WriteStream, silent: boolean): Progress => {
  const note = (line: string) => print(stream, line)
  if (silent || !stream.isTTY) return { note, begin: () => {}, advance: () => {}, end: () => {} }
  const bar = new SingleBar({ stream, format: "{stack} {bar} {percentage} % {value}/{total}", clearOnComplete: true })
  return {
    note,
    begin: (stack, requests) => bar.start(requests, 0, { stack: stack.padEnd(8) }),
    advance: (requests) => bar.update(requests),
    end: () => bar.stop()
  }
}

/** Opened before the replay, so that a mistake shows at once. */
const opened = (file: string): Effect.Effect<number, UsageError> =>
  Effect.try({
    try: () => openSync(file, "w"),
    catch: (cause) => new UsageError({ message: `--report ${file} cannot be written (${cause}): choose another.` })
  })

const command = Command.make("replay", flags, (given) =>
  Effect.gen(function* () {
    const options = yield* optionsOf(given)
    const report = options.report === undefined ? undefined : yield* opened(options.report)
    const outcome = yield* replay(options, progressOn(process.stderr, options.json))
    if (outcome.wrongReads > 0) process.exitCode = 1
    if (report !== undefined) writeFileSync(report, reportOf(outcome))
    if (options.json) return print(process.stdout, JSON.stringify(outcome.result))
    print(process.stdout, titleOf(outcome.result))
    const rows = rowsOf(outcome.result).map(({ stack, ...row }) => [stack, row] as const)
    return console.table(Object.fromEntries(rows))
  })
).pipe(
  Command.withDescription(
    "Feeds a workload through stacks of Larder's layers in virtual time and prints what it costs."
  )
)

/** One line: what the parser says comes as a document, and calls a known flag without its value unknown. */
const lineOf = (error: UsageError | ValidationError.ValidationError): string => {
  if (!ValidationError.isValidationError(error)) return error.message
  const line = stripVTControlCharacters(HelpDoc.toAnsiText(error.error)).replace(/\s+/g, " ").trim()
  const [, unknown] = /^Received unknown argument: '(.*)'$/.exec(line) ?? []
  if (unknown === undefined) return line
  return flagNames.has(unknown)
    ? `${unknown} needs one value, and to be given once.`
    : `${unknown} is no flag: see --help.`
}

const flagNames = new Set(
  Object.keys(flags).map((name) => `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`)
)

/** The parser would print its own account of a mistake, over several lines. */
const withoutDocuments = <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
  Console.consoleWith((console) => Effect.withConsole(effect, { ...console, error: () => Effect.void }))

const main = Command.run(command, { name: "Larder replay", version: packageJson.version })(process.argv).pipe(
  withoutDocuments,
  Effect.as(0),
  Effect.catchAll((error) => {
    print(process.stderr, lineOf(error))
    return Effect.succeed(2)
  }),
  Effect.provide(NodeContext.layer),
  Effect.provide(CliConfig.layer({ autoCorrectLimit: 0, showBuiltIns: false }))
)

Effect.runPromise(main).then(
  (code) => {
    process.exitCode ||= code
  },
  (defect) => {
    console.error(defect)
    process.exitCode = 1
  }
)
