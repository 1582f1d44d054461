import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { defaults } from "../../services/settings/Settings.ts"
import { type Columns, columnNames } from "./readers/fields.ts"
import { type Format, formats } from "./readers/formats.ts"

/** A flag, a file or a stack that cannot be: one line that says what to change. */
export class UsageError extends Data.TaggedError("UsageError")<{ readonly message: string }> {}

/** Parts in the order in which they add up to stacks: a stack has the part of its name and all parts before it. */
export const stackOrder = [
  "direct",
  "static",
  "alias",
  "memory",
  "edge",
  "batch",
  "pack",
  "prefetch",
  "durable"
] as const

export type Part = (typeof stackOrder)[number]

/** The parts that a stack is made of. */
export type Parts = ReadonlySet<Part>

/**
 * The parts of a stack by the name it was asked for; undefined for what is none. `kv` is all of KV mode; `direct+pack`
 * adds single parts to a stack.
 */
export const partsNamed = (name: string, without: Part | undefined): Parts | undefined => {
  const [base = "", ...added] = name.split("+").map((part) => (part === "kv" ? "prefetch" : part))
  if (!isPart(base) || !added.every(isPart)) return undefined
  const parts = new Set<Part>([...stackOrder.slice(0, stackOrder.indexOf(base) + 1), ...added])
  if (without !== undefined) parts.delete(without)
  return parts
}

const isPart = (name: string): name is Part => stackOrder.some((part) => part === name)

/** The flags as they were given. */
export interface ReplayFlags {
  readonly trace: Option.Option<string>
  readonly format: Option.Option<string>
  readonly columns: Option.Option<string>
  readonly requests: Option.Option<string>
  readonly scenario: Option.Option<string>
  readonly stack: Option.Option<string>
  readonly without: Option.Option<string>
  readonly memory: Option.Option<string>
  readonly ttl: Option.Option<string>
  readonly isolates: Option.Option<string>
  readonly locations: Option.Option<string>
  readonly isolateLife: Option.Option<string>
  readonly shards: Option.Option<string>
  readonly cacheAside: Option.Option<string>
  readonly fills: Option.Option<string>
  readonly plan: Option.Option<string>
  readonly budgetWrites: Option.Option<string>
  readonly prefetchPrecision: Option.Option<string>
  readonly seed: Option.Option<string>
  readonly json: boolean
  readonly report: Option.Option<string>
}

export type WorkloadSource =
  | {
      readonly kind: "trace"
      readonly file: string
      /** Undefined where the file itself tells. */
      readonly format: Format | undefined
      /** Which field of a record is which, where the format does not say. */
      readonly columns: Columns | undefined
    }
  | { readonly kind: "scenario"; readonly name: (typeof scenarios)[number] }

export interface ReplayOptions {
  readonly source: WorkloadSource
  /** Requests to replay, from the beginning of the trace or scenario; undefined for all. */
  readonly first: number | undefined
  /** As they were asked for. */
  readonly stacks: ReadonlyArray<string>
  /** The part that is left out of every stack. */
  readonly without: Part | undefined
  /** Memory of one isolate: bytes, or a share of the workload's unique bytes; undefined for the settings' default. */
  readonly memory: { readonly bytes: number } | { readonly share: number } | undefined
  /** Seconds that every tier takes an answer for fresh, `Infinity` for ever; undefined for the collections' own. */
  readonly ttl: number | undefined
  readonly isolates: number
  readonly locations: number
  /** Mean seconds, `Infinity` for immortal ones. */
  readonly isolateLife: number
  /** Objects of the stack `durable`. */
  readonly shards: number
  /** Milliseconds that a loader takes which a read runs for what is missing; undefined for no loader. */
  readonly cacheAside: number | undefined
  /** Which of its fills are stored. */
  readonly fills: "all" | "admitted"
  readonly plan: "paid" | "free"
  readonly seed: number
  /** KV writes that a UTC day may cost; undefined for no budget. */
  readonly budgetWrites: number | undefined
  /** Precision that predictions are to reach, in (0, 1]; undefined for the settings' default. */
  readonly prefetchPrecision: number | undefined
  readonly json: boolean
  readonly report: string | undefined
}

const maxSeconds = 31_536_000

/** Checks the flags against each other and fills in what was not given. */
export const optionsOf = (flags: ReplayFlags): Effect.Effect<ReplayOptions, UsageError> =>
  Effect.gen(function* () {
    const source = yield* sourceOf(flags)
    const stacks = Option.getOrElse(flags.stack, () => "direct,kv").split(",")
    const unknown = stacks.find((name) => partsNamed(name, undefined) === undefined)
    if (unknown !== undefined) {
      return yield* usage(`--stack knows no "${unknown}": choose from ${[...stackOrder, "kv"].join(", ")}.`)
    }
    const without = yield* withoutOf(flags.without)
    const trace = source.kind === "trace"
    const isolates = yield* whole("--isolates", flags.isolates, 1, 1000)
    const locations = yield* whole("--locations", flags.locations, 1, 1000)
    if (locations !== undefined && isolates !== undefined && locations > isolates) {
      return yield* usage(`--locations ${locations} needs at least as many --isolates: ask for ${locations} or more.`)
    }
    return {
      source,
      first: yield* whole("--requests", flags.requests, 1, Number.MAX_SAFE_INTEGER),
      stacks,
      without,
      memory: yield* memoryOf(flags.memory),
      ttl: (yield* seconds("--ttl", flags.ttl)) ?? (trace ? Number.POSITIVE_INFINITY : undefined),
      isolates: isolates ?? Math.max(trace ? 1 : 6, locations ?? 1),
      locations: locations ?? Math.min(trace ? 1 : 3, isolates ?? 3),
      isolateLife: (yield* seconds("--isolate-life", flags.isolateLife)) ?? (trace ? Number.POSITIVE_INFINITY : 900),
      shards: (yield* whole("--shards", flags.shards, 1, 64)) ?? defaults.shards,
      cacheAside: yield* whole("--cache-aside", flags.cacheAside, 0, 60_000),
      fills: yield* oneOf("--fills", flags.fills, ["admitted", "all"]),
      plan: yield* oneOf("--plan", flags.plan, ["paid", "free"]),
      seed: (yield* whole("--seed", flags.seed, 0, 2 ** 32 - 1)) ?? 1,
      budgetWrites: yield* whole("--budget-writes", flags.budgetWrites, 0, Number.MAX_SAFE_INTEGER),
      prefetchPrecision: yield* fraction("--prefetch-precision", flags.prefetchPrecision),
      json: flags.json,
      report: Option.getOrUndefined(flags.report)
    }
  })

const usage = (message: string): Effect.Effect<never, UsageError> => Effect.fail(new UsageError({ message }))

const sourceOf = (flags: ReplayFlags): Effect.Effect<WorkloadSource, UsageError> => {
  if (Option.isSome(flags.trace)) {
    if (Option.isSome(flags.scenario)) return usage("Give --trace or --scenario, not both.")
    return traceOf(flags.trace.value, flags)
  }
  if (Option.isNone(flags.scenario)) return usage("Give --trace FILE, or --scenario alerts, trading-day or crawler.")
  for (const flag of ["format", "columns"] as const) {
    if (Option.isSome(flags[flag])) return usage(`--${flag} is for --trace: leave it out.`)
  }
  const name = scenarios.find((scenario) => Option.contains(flags.scenario, scenario))
  return name === undefined
    ? usage(`--scenario knows no "${flags.scenario.value}": choose ${scenarios.join(", ")}.`)
    : Effect.succeed({ kind: "scenario", name })
}

const traceOf = (file: string, flags: ReplayFlags): Effect.Effect<WorkloadSource, UsageError> =>
  Effect.gen(function* () {
    const format = yield* oneOf<Format | "auto">("--format", flags.format, ["auto", ...formats])
    const columns = yield* columnsOf(flags.columns)
    if (columns !== undefined && !["auto", "csv", "jsonl"].includes(format)) {
      return yield* usage(`--columns is for CSV and JSON lines: leave it out with --format ${format}.`)
    }
    return { kind: "trace", file, format: format === "auto" ? undefined : format, columns }
  })

/** `key=url,time=ts`: a column and the name of its field, or the field's place, counted from 1. */
const columnsOf = (given: Option.Option<string>): Effect.Effect<Columns | undefined, UsageError> => {
  if (Option.isNone(given)) return Effect.succeed(undefined)
  const columns: { -readonly [C in keyof Columns]: string } = {}
  for (const pair of given.value.split(",")) {
    const at = pair.indexOf("=")
    const column = columnNames.find((name) => name === pair.slice(0, at).trim())
    const field = pair.slice(at + 1).trim()
    if (column === undefined || field === "") {
      return usage(
        `--columns "${pair}" must be one of ${columnNames.join(", ")}, = and a field, as in key=url,time=ts.`
      )
    }
    columns[column] = field
  }
  return columns.key === undefined
    ? usage("--columns must say which field is the key, as in key=url,time=ts.")
    : Effect.succeed(columns)
}

const scenarios = ["alerts", "trading-day", "crawler"] as const

const withoutOf = (given: Option.Option<string>): Effect.Effect<Part | undefined, UsageError> => {
  if (Option.isNone(given)) return Effect.succeed(undefined)
  const part = given.value === "direct" ? undefined : stackOrder.find((part) => part === given.value)
  return part === undefined
    ? usage(`--without knows no "${given.value}": choose from ${stackOrder.slice(1).join(", ")}.`)
    : Effect.succeed(part)
}

const oneOf = <A extends string>(
  flag: string,
  given: Option.Option<string>,
  choices: readonly [A, ...ReadonlyArray<A>]
): Effect.Effect<A, UsageError> => {
  if (Option.isNone(given)) return Effect.succeed(choices[0])
  const chosen = choices.find((choice) => choice === given.value)
  return chosen === undefined
    ? usage(
        `${flag} knows no "${given.value}": choose ${choices.length > 2 ? choices.join(", ") : choices.join(" or ")}.`
      )
    : Effect.succeed(chosen)
}

const whole = (
  flag: string,
  given: Option.Option<string>,
  least: number,
  most: number
): Effect.Effect<number | undefined, UsageError> => {
  if (Option.isNone(given)) return Effect.succeed(undefined)
  const number = Number(given.value)
  return /^\d+$/.test(given.value) && number >= least && number <= most
    ? Effect.succeed(number)
    : usage(`${flag} "${given.value}" must be a whole number from ${least} to ${most}.`)
}

const seconds = (flag: string, given: Option.Option<string>): Effect.Effect<number | undefined, UsageError> => {
  if (Option.isNone(given)) return Effect.succeed(undefined)
  if (given.value === "none") return Effect.succeed(Number.POSITIVE_INFINITY)
  const number = Number(given.value)
  return /^\d+(\.\d+)?$/.test(given.value) && number >= 1 && number <= maxSeconds
    ? Effect.succeed(number)
    : usage(`${flag} "${given.value}" must be seconds from 1 to ${maxSeconds}, or none.`)
}

const fraction = (flag: string, given: Option.Option<string>): Effect.Effect<number | undefined, UsageError> => {
  if (Option.isNone(given)) return Effect.succeed(undefined)
  const number = Number(given.value)
  return /^\d*\.?\d+$/.test(given.value) && number >= 0.05 && number <= 0.99
    ? Effect.succeed(number)
    : usage(`${flag} "${given.value}" must be a fraction from 0.05 to 0.99.`)
}

const memoryOf = (given: Option.Option<string>): Effect.Effect<ReplayOptions["memory"], UsageError> => {
  if (Option.isNone(given)) return Effect.succeed(undefined)
  const [, digits, percent] = /^(\d+(?:\.\d+)?)(%?)$/.exec(given.value) ?? []
  const number = Number(digits)
  if (percent === "%" && number > 0 && number <= 100) return Effect.succeed({ share: number / 100 })
  if (percent === "" && Number.isInteger(number) && number >= 1 && number <= 2 ** 40) {
    return Effect.succeed({ bytes: number })
  }
  return usage(`--memory "${given.value}" must be whole bytes from 1 to ${2 ** 40}, or a share like 10%.`)
}
