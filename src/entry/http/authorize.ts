import * as Context from "effect/Context"
import { type Problem, problem } from "./problem.ts"

/** `read`: answers. `write`: entries, batches that change something, invalidation, clearing. `admin`: operation. */
export type Scope = "read" | "write" | "admin"

const everything: ReadonlyArray<Scope> = ["read", "write", "admin"]

const scopes: ReadonlySet<string> = new Set(everything)

/** The scopes of who asks. Nobody by default, who may do nothing. */
export class Caller extends Context.Reference<Caller>()("larder/Caller", {
  defaultValue: (): ReadonlySet<Scope> => new Set()
}) {}

export interface ApiKey {
  /** The key in UTF-8, filled up with zeros. */
  readonly padded: Uint8Array
  readonly scopes: ReadonlySet<Scope>
}

export interface ApiKeys {
  readonly keys: ReadonlyArray<ApiKey>
  /** Positions, counted from 1, of the parts that were left out: an unknown scope, no key, or one over 256 bytes. */
  readonly mistakes: ReadonlyArray<number>
}

/**
 * Reads the secret `API_KEYS`: keys separated by commas, each alone (all scopes) or followed by `=` and its scopes,
 * separated by `+`: `k1,k2=read,k3=read+write`. Spaces around a key do not count. A key ends at its last `=`, so one
 * that ends in `=` itself (base64) stays whole. A key has at most 256 bytes. A part with an unknown scope is no key at
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
    const named = alone ? everything : text.slice(at + 1).split("+")
    const padded = new Uint8Array(keyBytes)
    if (key !== "" && fill(padded, key) && named.every(isScope)) keys.push({ padded, scopes: new Set(named) })
    else mistakes.push(index + 1)
  })
  return { keys, mistakes }
}

/**
 * Who presents this key. Every configured key is compared, over the same number of bytes and in constant time, so that
 * the time of a refusal tells nothing of any of them.
 */
export const authenticate = (keys: ReadonlyArray<ApiKey>, presented: string | null): ReadonlySet<Scope> | Problem => {
  if (keys.length === 0) {
    return problem("no-api-key-configured", "set the secret API_KEYS: `npx wrangler secret put API_KEYS`")
  }
  if (presented === null) return problem("unauthorized", "send an API key in the header X-API-KEY")
  let found: ReadonlySet<Scope> | undefined
  if (fill(scratch, presented)) {
    for (const key of keys) {
      if (isSame(key.padded, scratch)) found = key.scopes
    }
  }
  return found ?? problem("unauthorized", "the key in the header X-API-KEY is not one of this Worker's")
}

/** The refusal for a caller without the scope. */
export const missing = (caller: ReadonlySet<Scope>, scope: Scope): Problem | undefined =>
  caller.has(scope) ? undefined : problem("forbidden", `this needs a key with the scope "${scope}"`)

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

const isScope = (name: string): name is Scope => scopes.has(name)
