import * as Either from "effect/Either"
import { isLegalKey, limits, utf8Bytes } from "../../services/kv/Kv.ts"
import { brokenContentTypeRule } from "../../services/store/model/ContentType.ts"
import { brokenTagsRule } from "../../services/store/model/Tags.ts"
import type { WriteOptions } from "../../services/store/Store.ts"
import { type Problem, problem } from "./problem.ts"

/** The longest life a client may ask for: 365 days, in seconds. */
export const maxTtlSeconds = 31_536_000

/** The rule that a key breaks, in words, or undefined for a legal one. */
export const brokenKeyRule = (key: string): string | undefined => {
  if (isLegalKey(key)) return undefined
  if (key === "") return "a key must not be empty"
  if (key === "." || key === "..") return `a key must not be "." or ".."`
  if (!key.isWellFormed()) return "a key must be well-formed Unicode"
  return `a key holds at most ${limits.keyBytes} bytes of UTF-8, and this one ${utf8Bytes(key)}`
}

/**
 * The key in a path: everything behind the collection's `/`, percent-decoded, so that `a%2Fb` and `a/b` are the same
 * key. URL parsers take `.` and `..` segments (`%2e` too) out of a path before it is sent: a key that has such segments
 * must have its slashes encoded.
 */
export const keyFromPath = (raw: string): Either.Either<string, Problem> => {
  const key = decodedSegment(raw)
  if (key === undefined) return Either.left(problem("bad-key", "the path holds a percent escape that is not UTF-8"))
  const rule = brokenKeyRule(key)
  return rule === undefined ? Either.right(key) : Either.left(problem("bad-key", rule))
}

/** Percent-decoded text, or undefined when an escape is not UTF-8. */
export const decodedSegment = (raw: string): string | undefined => {
  try {
    return decodeURIComponent(raw)
  } catch {
    return undefined
  }
}

/** `?ttl=` in whole seconds, `?tags=` separated by commas, and the body's type: what a PUT says beside its value. */
export const writeOptions = (params: URLSearchParams, headers: Headers): Either.Either<WriteOptions, Problem> => {
  const options: { -readonly [K in keyof WriteOptions]: WriteOptions[K] } = {}
  const ttl = single(params, "ttl")
  if (ttl !== null) {
    const seconds = ttl !== undefined && /^\d{1,8}$/.test(ttl) ? Number(ttl) : 0
    if (seconds < 1 || seconds > maxTtlSeconds) {
      return Either.left(problem("bad-parameter", `ttl is one whole number of seconds from 1 to ${maxTtlSeconds}`))
    }
    options.ttl = seconds * 1000
  }
  const tags = single(params, "tags")
  if (tags !== null) {
    const list = [...new Set(tags?.split(",") ?? [""])]
    const rule = brokenTagsRule(list)
    if (rule !== undefined) return Either.left(problem("bad-parameter", `tags: ${rule}`))
    options.tags = list
  }
  const contentType = headers.get("Content-Type")
  if (contentType !== null && contentType !== "") {
    const rule = brokenContentTypeRule(contentType)
    if (rule !== undefined) return Either.left(problem("bad-header", rule))
    options.contentType = contentType
  }
  return Either.right(options)
}

/** The refusal for a parameter that nobody would look at: a misspelt one must not be taken for one left out. */
export const unknownParameter = (params: URLSearchParams, known: ReadonlySet<string>): Problem | undefined => {
  for (const name of params.keys()) {
    if (known.has(name)) continue
    const others = known.size === 0 ? "none" : [...known].join(", ")
    return problem("bad-parameter", `"${name.slice(0, 100)}" is not a parameter here; there are: ${others}`)
  }
  return undefined
}

/** A parameter given once; null when absent, undefined when given more than once. */
const single = (params: URLSearchParams, name: string): string | null | undefined => {
  const values = params.getAll(name)
  return values.length > 1 ? undefined : (values[0] ?? null)
}
