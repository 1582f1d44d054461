import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { defaults } from "../services/Settings.ts"

/** A flag, a file or a stack that cannot be: one line that says what to change. */
export class UsageError extends Data.TaggedError("UsageError")<{ readonly message: string }> {}

/** Stacks in the order in which their parts add up: each has all parts of those before it. */
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

export type Stack = (typeof stackOrder)[number]

/** A stack by the name it was asked for; `kv` is all of KV mode. */
export const stackNamed = (name: string): Stack | undefined =>
  name === "kv" ? "prefetch" : stackOrder.find((stack) => stack === name)

/** The flags as they were given. */
export interface ReplayFlags {
  readonly trace: Option.Option<string>
  readonly format: Option.Option<string>
  readonly scenario: Option.Option<string>
  readonly stack: Option.Option<string>
  readonly memory: Option.Option<string>
  readonly ttl: Option.Option<string>
  readonly isolates: Option.Option<string>
  readonly locations: Option.Option<string>
  readonly isolateLife: Option.Option<string>
  readonly shards: Option.Option<string>
  readonly plan: Option.Option<string>
  readonly budgetWrites: Option.Option<string>
  readonly seed: Option.Option<string>
  readonly json: boolean
  readonly report: Option.Option<string>
}

export type Source =
  | { readonly kind: "trace"; readonly file: string; readonly format: "csv" | "clf" }
  | { readonly kind: "scenario"; readonly name: "alerts" }

export interface ReplayOptions {
  readonly source: Source
  /** As they were asked for. */
  readonly stacks: ReadonlyArray<string>
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
  readonly plan: "paid" | "free"
  readonly seed: number
  readonly json: boolean
  readonly report: string | undefined
  /** Flags that were given and do nothing yet. */
  readonly idle: ReadonlyArray<string>
}

const maxSeconds = 31_536_000

/** Checks the flags against each other and fills in what was not given. */
export const optionsOf = (flags: ReplayFlags): Effect.Effect<ReplayOptions, UsageError> =>
  Effect.gen(function* () {
    const source = yield* sourceOf(flags)
    const stacks = Option.getOrElse(flags.stack, () => "direct,kv").split(",")
    const unknown = stacks.find((name) => stackNamed(name) === undefined)
    if (unknown !== undefined) {
      return yield* usage(`--stack knows no "${unknown}": choose from ${[...stackOrder, "kv"].join(", ")}.`)
    }
    const trace = source.kind === "trace"
    const isolates = yield* whole("--isolates", flags.isolates, 1, 1000)
    const locations = yield* whole("--locations", flags.locations, 1, 1000)
    if (locations !== undefined && isolates !== undefined && locations > isolates) {
      return yield* usage(`--locations ${locations} needs at least as many --isolates: ask for ${locations} or more.`)
    }
    yield* whole("--budget-writes", flags.budgetWrites, 0, Number.MAX_SAFE_INTEGER)
    return {
      source,
      stacks,
      memory: yield* memoryOf(flags.memory),
      ttl: (yield* seconds("--ttl", flags.ttl)) ?? (trace ? Number.POSITIVE_INFINITY : undefined),
      isolates: isolates ?? Math.max(trace ? 1 : 6, locations ?? 1),
      locations: locations ?? Math.min(trace ? 1 : 3, isolates ?? 3),
      isolateLife: (yield* seconds("--isolate-life", flags.isolateLife)) ?? (trace ? Number.POSITIVE_INFINITY : 900),
      shards: (yield* whole("--shards", flags.shards, 1, 64)) ?? defaults.shards,
      plan: yield* oneOf("--plan", flags.plan, ["paid", "free"]),
      seed: (yield* whole("--seed", flags.seed, 0, 2 ** 32 - 1)) ?? 1,
      json: flags.json,
      report: Option.getOrUndefined(flags.report),
      idle: Option.isSome(flags.budgetWrites) ? ["--budget-writes"] : []
    }
  })

const usage = (message: string): Effect.Effect<never, UsageError> => Effect.fail(new UsageError({ message }))

const sourceOf = (flags: ReplayFlags): Effect.Effect<Source, UsageError> => {
  if (Option.isSome(flags.trace)) {
    if (Option.isSome(flags.scenario)) return usage("Give --trace or --scenario, not both.")
    const file = flags.trace.value
    const format = oneOf<"csv" | "clf">("--format", flags.format, ["csv", "clf"])
    return Effect.map(format, (format) => ({ kind: "trace", file, format }))
  }
  if (Option.isNone(flags.scenario)) return usage("Give --trace FILE, or --scenario alerts.")
  if (Option.isSome(flags.format)) return usage("--format is for --trace: leave it out.")
  switch (flags.scenario.value) {
    case "alerts":
      return Effect.succeed({ kind: "scenario", name: "alerts" })
    case "trading-day":
      return usage("--scenario trading-day is not built yet: use alerts.")
    default:
      return usage(`--scenario knows no "${flags.scenario.value}": choose alerts or trading-day.`)
  }
}

const oneOf = <A extends string>(
  flag: string,
  given: Option.Option<string>,
  choices: readonly [A, ...ReadonlyArray<A>]
): Effect.Effect<A, UsageError> => {
  if (Option.isNone(given)) return Effect.succeed(choices[0])
  const chosen = choices.find((choice) => choice === given.value)
  return chosen === undefined
    ? usage(`${flag} knows no "${given.value}": choose ${choices.join(" or ")}.`)
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
