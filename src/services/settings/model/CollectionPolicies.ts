import * as Duration from "effect/Duration"
import * as Either from "effect/Either"
import { aliasOf } from "../../aliasing/model/CollectionAlias.ts"
import { AliasError } from "../../store/model/AliasRule.ts"
import { CollectionError, define, type Policy, type PolicyInput } from "../../store/model/Collection.ts"

/** Policies by the name of the collection that they declare or change. */
export type CollectionPolicies = ReadonlyMap<string, PolicyInput>

// Read by hand and not by a schema: an isolate reads its variables before it answers anything, and loading Schema takes
// longer than the rest of that.

class Misfit extends Error {}

/** What JSON's value means at a path, or throws a {@link Misfit} that names the path. */
type Read<A> = (value: unknown, path: string) => A

const misfit = (path: string, allowed: string, value: unknown): never => {
  const actual = JSON.stringify(value)
  throw new Misfit(`${path === "" ? "" : `${path}: `}expected ${allowed}, actual ${actual}`)
}

const being =
  <A>(allowed: string, is: (value: unknown) => value is A): Read<A> =>
  (value, path) =>
    is(value) ? value : misfit(path, allowed, value)

const flag = being("true or false", (value) => typeof value === "boolean")
const number = being("a number", (value) => typeof value === "number")
const text = being("text", (value) => typeof value === "string")
const someText = being("text that is not empty", (value): value is string => typeof value === "string" && value !== "")

const oneOf = <const A extends string>(...among: ReadonlyArray<A>): Read<A> =>
  being(among.map((one) => `"${one}"`).join(" or "), (value): value is A => among.some((one) => one === value))

const seconds: Read<Duration.Duration> = (value, path) =>
  typeof value === "number" && value >= 0 ? Duration.seconds(value) : misfit(path, "seconds, 0 or more", value)

const secondsOrForever: Read<Duration.Duration> = (value, path) =>
  value === "forever"
    ? Duration.infinity
    : typeof value === "number" && value >= 0
      ? Duration.seconds(value)
      : misfit(path, `seconds, 0 or more, or "forever"`, value)

const list =
  <A>(item: Read<A>): Read<ReadonlyArray<A>> =>
  (value, path) =>
    Array.isArray(value) ? value.map((one, i) => item(one, `${path}.${i}`)) : misfit(path, "a list", value)

const table = (value: unknown, path: string): ReadonlyArray<[string, unknown]> =>
  typeof value === "object" && value !== null && !Array.isArray(value)
    ? Object.entries(value)
    : misfit(path, "a table", value)

/** A table of known members, of which those under `needed` have to be there. */
const members =
  (reads: Readonly<Record<string, Read<unknown>>>, needed: ReadonlyArray<string> = []): Read<Record<string, unknown>> =>
  (value, path) => {
    const found = Object.fromEntries(
      table(value, path).map(([name, member]) => {
        const at = path === "" ? name : `${path}.${name}`
        return [name, (reads[name] ?? ((it) => misfit(at, Object.keys(reads).join(", "), it)))(member, at)]
      })
    )
    for (const name of needed) if (!(name in found)) misfit(`${path}.${name}`, "a value", null)
    return found
  }

const record =
  <A>(item: Read<A>): Read<Record<string, A>> =>
  (value, path) =>
    Object.fromEntries(
      table(value, path).map(([name, one]) => [name, item(one, path === "" ? name : `${path}.${name}`)])
    )

const place = { segment: number, parameter: text }

/** The members of one alias rule by its kind. What the rules mean together is checked when they are compiled. */
const rules: Readonly<Record<string, Read<unknown>>> = {
  case: members({ rule: text, to: oneOf("upper", "lower"), ...place }, ["to"]),
  date: members({ rule: text, zone: text, ...place }, ["zone"]),
  synonyms: members({ rule: text, words: record(text), ...place }, ["words"]),
  default: members({ rule: text, parameter: text, value: text }, ["parameter", "value"]),
  order: members({ rule: text }),
  pattern: members({ rule: text, from: text, to: text }, ["from", "to"])
}

const aliasRule: Read<unknown> = (value, path) => {
  const kind = table(value, path).find(([name]) => name === "rule")?.[1]
  const read = typeof kind === "string" && Object.hasOwn(rules, kind) ? rules[kind] : undefined
  return read === undefined ? misfit(`${path}.rule`, Object.keys(rules).join(", "), kind) : read(value, path)
}

const policy = members({
  ttl: secondsOrForever,
  memoryTtl: seconds,
  edgeTtl: seconds,
  staleFor: seconds,
  graceFor: seconds,
  negativeTtl: seconds,
  jitter: number,
  write: oneOf("through", "behind"),
  flushEvery: seconds,
  packed: flag,
  compress: flag,
  adaptTtl: flag,
  undecodable: oneOf("load", "fail"),
  fills: oneOf("all", "admitted"),
  tags: list(someText),
  alias: list(aliasRule)
} satisfies Readonly<Record<keyof Policy, Read<unknown>>>)

/** Reads JSON, durations in seconds or, for `ttl`, `"forever"`. Left of what makes no collection: why. */
export const parse = (json: string): Either.Either<CollectionPolicies, string> => {
  try {
    const declared = record(policy)(JSON.parse(json), "") as Record<string, PolicyInput>
    for (const [name, policy] of Object.entries(declared)) aliasOf(define(name, policy))
    return Either.right(new Map(Object.entries(declared)))
  } catch (error) {
    if (error instanceof SyntaxError) return Either.left("it is not JSON")
    if (error instanceof Misfit || error instanceof CollectionError || error instanceof AliasError) {
      return Either.left(error.message)
    }
    throw error
  }
}
