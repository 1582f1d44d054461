import * as Context from "effect/Context"
import { isCollectionName } from "../../services/store/model/Collection.ts"
import { type Problem, problem } from "./problem.ts"

/** `read`: answers. `write`: entries, batches that change something, invalidation, clearing. `admin`: operation. */
export type Scope = "read" | "write" | "admin"

/** What a key allows the client that presents it. */
export interface Grant {
  /** Everywhere. */
  readonly scopes: ReadonlySet<Scope>
  /** In one collection each, beside those: `read:quotes`. */
  readonly within: ReadonlySet<string>
  /** The caller's name, where its part of `API_KEYS` says so (`as:alice`): two keys of one are one caller. */
  readonly name: string | undefined
  /** Whether no rate limit applies. */
  readonly unlimited: boolean
}

export const nobody: Grant = { scopes: new Set(), within: new Set(), name: undefined, unlimited: false }

/** What who asks may do. Nobody by default, who may do nothing. */
export class Caller extends Context.Reference<Caller>()("larder/Caller", { defaultValue: (): Grant => nobody }) {}

export interface ApiKey {
  /** The key in UTF-8, filled up with zeros. */
  readonly padded: Uint8Array
  readonly grant: Grant
}

export interface ApiKeys {
  readonly keys: ReadonlyArray<ApiKey>
  /** Positions, counted from 1, of the parts that were left out: an unknown scope, no key, or one over 256 bytes. */
  readonly mistakes: ReadonlyArray<number>
}

const everything: Grant = { ...nobody, scopes: new Set<Scope>(["read", "write", "admin"]) }

/** What `read+write:quotes+as:alice+unlimited` allows; undefined where a word of it means nothing, or none is a scope. */
const grantOf = (text: string): Grant | undefined => {
  const scopes = new Set<Scope>()
  const within = new Set<string>()
  let { name, unlimited } = nobody
  for (const word of text.split("+")) {
    const [, kind, about] = /^(read|write|as):(.*)$/.exec(word) ?? []
    if (word === "read" || word === "write" || word === "admin") scopes.add(word)
    else if (word === "unlimited") unlimited = true
    else if (kind === "as" && /^[\w.-]{1,64}$/.test(about!)) name = about
    else if (kind !== undefined && kind !== "as" && isCollectionName(about!)) within.add(word)
    else return undefined
  }
  return scopes.size + within.size === 0 ? undefined : { scopes, within, name, unlimited }
}

/**
 * Reads the secret `API_KEYS`: keys separated by commas, each alone (all scopes) or followed by `=` and what it allows,
 * separated by `+`: `k1,k2=read,k3=read+write:quotes`. Spaces around a key do not count. A key ends at its last `=`, so
 * one that ends in `=` itself (base64) stays whole. A key has at most 256 bytes. A part with an unknown scope is no key at
 * all, rather than one with all scopes.
 */
export const parse = (secret: string): ApiKeys => {
  const keys: Array<ApiKey> = []
  const mistakes: Array<number> = []
  secret.split(",").forEach((part, index) => {
    const text = part.trim()
    if (text === "") return
    const at = text.lastIndexOf("=")
    const alone = at === -1 || at === text.length - 1
    const key = alone ? text : text.slice(0, at)
    const grant = alone ? everything : grantOf(text.slice(at + 1))
    const padded = new Uint8Array(keyBytes)
    if (key !== "" && fill(padded, key) && grant !== undefined) keys.push({ padded, grant })
    else mistakes.push(index + 1)
  })
  return { keys, mistakes }
}

/**
 * Who presents this key. Every configured key is compared, over the same number of bytes and in constant time, so that
 * the time of a refusal tells nothing of any of them.
 */
export const authenticate = (keys: ReadonlyArray<ApiKey>, presented: string | null): Grant | Problem => {
  if (keys.length === 0) {
    return problem("no-api-key-configured", "set the secret API_KEYS: `npx wrangler secret put API_KEYS`")
  }
  if (presented === null) return problem("unauthorized", "send an API key in the header X-API-KEY")
  let found: Grant | undefined
  if (fill(scratch, presented)) {
    for (const { grant, padded } of keys) {
      if (isSame(padded, scratch)) found = grant
    }
  }
  return found ?? problem("unauthorized", "the key in the header X-API-KEY is not one of this Worker's")
}

/** Whether a caller may, everywhere or in this collection. */
export const allows = ({ scopes, within }: Grant, scope: Scope, collection?: string): boolean =>
  scopes.has(scope) || (collection !== undefined && within.size > 0 && within.has(`${scope}:${collection}`))

/** The refusal for a caller without the scope. */
export const missing = (caller: Grant, scope: Scope, collection?: string): Problem | undefined =>
  allows(caller, scope, collection)
    ? undefined
    : problem(
        "forbidden",
        collection === undefined || scope === "admin" || !isCollectionName(collection)
          ? `this needs a key with the scope "${scope}"`
          : `this needs a key with the scope "${scope}", or "${scope}:${collection}"`
      )

const keyBytes = 256

const scratch = new Uint8Array(keyBytes)

/** Whether all bytes are the same, looking at all of them whatever they are. */
const isSame = (a: Uint8Array, b: Uint8Array): boolean => {
  let difference = 0
  for (let i = 0; i < keyBytes; i++) difference |= a[i]! ^ b[i]!
  return difference === 0
}

const encoder = new TextEncoder()

/** Writes text and then zeros; false when it does not fit, or holds a zero itself. */
const fill = (bytes: Uint8Array, text: string): boolean => {
  const { read, written } = encoder.encodeInto(text, bytes)
  bytes.fill(0, written)
  return read === text.length && !text.includes("\0")
}
