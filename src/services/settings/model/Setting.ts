import type * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Either from "effect/Either"

/** One tunable. Reading it, refusing it, its row in the documentation: everything is made from this declaration. */
export interface Setting<A> {
  /** The environment variable. */
  readonly variable: string
  readonly default: A
  /** What may be written, as the end of the sentence "it must be …". */
  readonly allowed: string
  /** What it does, in one or two sentences; Markdown. */
  readonly documentation: string
  /** The value that a variable's text means, or why it means none. */
  readonly parse: (text: string) => Either.Either<A, string>
  /** The value as a variable's text. */
  format(value: A): string
}

type Declaration<A> = Pick<Setting<A>, "variable" | "default" | "documentation">

/** A family of settings by the names under which programs read them. */
export type Settings = { readonly [name: string]: Setting<unknown> }

export type Values<S extends Settings> = {
  readonly [K in keyof S]: S[K] extends Setting<infer A> ? A : never
}

/** The settings of one room or application: the service of their values, and the declarations. */
export interface SettingsGroup<out I = unknown> {
  readonly tag: { readonly key: string; readonly Identifier: I }
  readonly settings: Settings
  /** Secrets beside them, by the names of their variables. */
  readonly secrets: ReadonlyArray<string>
}

/** The services of groups of settings. */
export type IdentifierOf<G> = G extends SettingsGroup<infer I> ? I : never

/** The settings of one room, read by programs through this tag. */
export const group = <I, S extends Settings>(
  tag: Context.Tag<I, Values<S>>,
  settings: S,
  secrets: ReadonlyArray<string> = []
): SettingsGroup<I> => ({
  tag,
  settings,
  secrets
})

/** The values where no variable says otherwise. */
export const defaultsOf = <S extends Settings>(settings: S): Values<S> =>
  Object.fromEntries(Object.entries(settings).map(([name, setting]) => [name, setting.default])) as Values<S>

const numeric = (text: string): number => (text.trim() === "" ? Number.NaN : Number(text))

/** With commas between thousands. Without `Intl`, whose tables an isolate would load for this alone when it starts. */
const grouped = (value: number): string => {
  const [whole, ...fraction] = String(value).split(".")
  return [whole!.replace(/\B(?=(\d{3})+$)/g, ","), ...fraction].join(".")
}

const between = (least: number, most: number): string =>
  most === Number.POSITIVE_INFINITY ? `from ${grouped(least)}` : `from ${grouped(least)} to ${grouped(most)}`

const numberOf =
  (allowed: string, fits: (value: number) => boolean) =>
  (text: string): Either.Either<number, string> => {
    const value = numeric(text)
    return fits(value) ? Either.right(value) : Either.left(allowed)
  }

interface Range {
  readonly least: number
  readonly most: number
}

export const integer = (declaration: Declaration<number> & Range): Setting<number> => {
  const { least, most } = declaration
  const allowed = `a whole number ${between(least, most)}`
  return {
    ...declaration,
    allowed,
    parse: numberOf(allowed, (value) => Number.isInteger(value) && value >= least && value <= most),
    format: String
  }
}

export const number = (declaration: Declaration<number> & Range): Setting<number> => {
  const { least, most } = declaration
  const allowed = `a number ${between(least, most)}`
  return {
    ...declaration,
    allowed,
    parse: numberOf(allowed, (value) => value >= least && value <= most),
    format: String
  }
}

/** A whole number from 0, or no limit where there is no variable. */
export const limit = (declaration: Omit<Declaration<number | undefined>, "default">): Setting<number | undefined> => {
  const allowed = "a whole number from 0"
  return {
    ...declaration,
    default: undefined,
    allowed,
    parse: numberOf(allowed, (value) => Number.isInteger(value) && value >= 0),
    format: (value) => (value === undefined ? "unlimited" : String(value))
  }
}

const truths = new Map([
  ["true", true],
  ["yes", true],
  ["on", true],
  ["1", true],
  ["false", false],
  ["no", false],
  ["off", false],
  ["0", false]
])

export const flag = (declaration: Declaration<boolean>): Setting<boolean> => {
  const allowed = "`true` or `false` (`on` or `off`)"
  return {
    ...declaration,
    allowed,
    parse: (text) => Either.fromNullable(truths.get(text), () => allowed),
    format: String
  }
}

/** From 1 millisecond to 1 hour. */
export const duration = (declaration: Declaration<Duration.Duration>): Setting<Duration.Duration> => {
  const allowed = "a duration with its unit, such as `50 millis` or `10 seconds`, from 1 millisecond to 1 hour"
  return {
    ...declaration,
    allowed,
    parse: (text) =>
      Either.filterOrLeft(
        Either.fromOption(Duration.decodeUnknown(text), () => allowed),
        (value) => Duration.toMillis(value) >= 1 && Duration.toMillis(value) <= 3_600_000,
        () => allowed
      ),
    format: (value) => {
      const millis = Duration.toMillis(value)
      if (millis % 60_000 === 0) return `${millis / 60_000} minutes`
      return millis % 1000 === 0 ? `${millis / 1000} seconds` : `${millis} millis`
    }
  }
}

export const choice = <const A extends string>(
  declaration: Declaration<NoInfer<A>> & { readonly among: ReadonlyArray<A> }
): Setting<A> => {
  const allowed = declaration.among.map((one) => `\`${one}\``).join(" or ")
  return {
    ...declaration,
    allowed,
    parse: (text) =>
      Either.fromNullable(
        declaration.among.find((one) => one === text),
        () => allowed
      ),
    format: (value) => value
  }
}

/** Text that is not empty, and fits the pattern if there is one. */
export const text = (
  declaration: Declaration<string> & { readonly allowed: string; readonly pattern?: RegExp }
): Setting<string> => ({
  ...declaration,
  parse: (written) =>
    written !== "" && (declaration.pattern?.test(written) ?? true)
      ? Either.right(written)
      : Either.left(declaration.allowed),
  format: (value) => value
})
