import * as Data from "effect/Data"
import * as Duration from "effect/Duration"
import type { AliasRule } from "./AliasRule.ts"
import { brokenTagsRule } from "./Tags.ts"

/** How the entries of one collection are kept. */
export interface Policy {
  /** Life of an entry that is written without one of its own. Default 1 hour; `Infinity` for ever. */
  readonly ttl: Duration.Duration
  /** How long isolate memory may answer without asking further. Default 60 s; 0 keeps the collection out of memory. */
  readonly memoryTtl: Duration.Duration
  /** How long this location's edge cache may. Default 30 s (entries there cannot be purged elsewhere); 0 for never. */
  readonly edgeTtl: Duration.Duration
  /** Beyond those: serve the old answer and refresh it behind. Default 0. */
  readonly staleFor: Duration.Duration
  /** Beyond those: serve the old answer when a refresh or the loader fails. Default 0. */
  readonly graceFor: Duration.Duration
  /** How long "there is none" is remembered. Default 30 s; never longer than `memoryTtl`. */
  readonly negativeTtl: Duration.Duration
  /** Fraction in [0, 1) by which every ttl may be shortened at random. Default 0.1. */
  readonly jitter: number
  /** `through`: acknowledged after the store took it. `behind`: buffered, and the reply says so. Default `through`. */
  readonly write: "through" | "behind"
  /** The longest a buffered write may wait. Default 10 s. */
  readonly flushEvery: Duration.Duration
  /**
   * Many entries in one physical value. `false`: none any more; what lies in pages is found there until it is written again
   * or cleared, and looking for pages costs KV mode a read for each isolate. Default: it never was.
   */
  readonly packed: boolean | undefined
  /** Compress values where it saves at least 10 %. Default false. */
  readonly compress: boolean
  /**
   * Let the life of entries that are loaded, and say none of their own, follow how often their value changes: from a
   * quarter of `ttl` to four times. Each isolate learns by itself. Default false.
   */
  readonly adaptTtl: boolean
  /**
   * What a typed read does about a stored value that its schema does not read. `load`: it counts as absent, and what the
   * loader brings is served without being stored. `fail`: the read fails. The value stays in either case. Default `load`.
   */
  readonly undecodable: "load" | "fail"
  /**
   * Which fills of a loader are stored: `admitted`, those that were loaded before within their life, took long to load, or
   * have a `graceFor`; or `all`. Memory and edge keep every fill, and a `set` is always stored. Default `admitted`.
   */
  readonly fills: "all" | "admitted"
  /** Tags that every entry of the collection carries. Default none. */
  readonly tags: ReadonlyArray<string>
  /** Which keys mean the same. Default none. */
  readonly alias: ReadonlyArray<AliasRule>
}

/** A policy as it is written down: whatever is left out takes its default, durations in any form Effect reads. */
export type PolicyInput = {
  readonly [K in keyof Policy]?: Policy[K] extends Duration.Duration ? Duration.DurationInput : Policy[K]
}

/** For what must never be served from before its last change: nothing in front of the store of record answers. */
export const alwaysAfresh = { memoryTtl: 0, edgeTtl: 0, jitter: 0 } as const satisfies PolicyInput

export const defaultPolicy: Policy = {
  ttl: Duration.hours(1),
  memoryTtl: Duration.seconds(60),
  edgeTtl: Duration.seconds(30),
  staleFor: Duration.zero,
  graceFor: Duration.zero,
  negativeTtl: Duration.seconds(30),
  jitter: 0.1,
  write: "through",
  flushEvery: Duration.seconds(10),
  packed: undefined,
  compress: false,
  adaptTtl: false,
  undecodable: "load",
  fills: "admitted",
  tags: [],
  alias: []
}

/** The same policy in milliseconds, computed once, for the hot path. */
export interface PolicyMillis {
  readonly ttl: number
  readonly memoryTtl: number
  readonly edgeTtl: number
  readonly staleFor: number
  readonly graceFor: number
  readonly negativeTtl: number
}

/** A family of entries under one name and one policy. */
export interface Collection {
  readonly name: string
  readonly policy: Policy
  readonly millis: PolicyMillis
  /** Whose data it holds; without it, the data of the cache routes' callers. */
  readonly application?: Owner
}

/** The application that a collection belongs to: nothing but its own routes and programs write there. */
export interface Owner {
  /** Lower-case letters, digits and dashes. */
  readonly name: string
  /** Where the application serves what the collection holds, or takes it; undefined for what nobody else is to see. */
  readonly route?: string
}

/**
 * A tag as entries of the collection carry it: a namespace of its own for every application, so that nobody who may
 * invalidate tags ends an application's entries. No tag of a client has a comma.
 */
export const tagIn = ({ application }: Pick<Collection, "application">, tag: string): string =>
  application === undefined ? tag : `${application.name},${tag}`

export class CollectionError extends Data.TaggedError("CollectionError")<{
  readonly operation: "define"
  readonly reason: "BadName" | "BadPolicy"
  readonly detail: string
}> {
  override get message(): string {
    return this.detail
  }
}

/** Lower-case letters, digits and dashes, beginning with a letter, at most 32. */
export const isCollectionName = (name: string): boolean => /^[a-z][a-z0-9-]{0,31}$/.test(name)

/** Names that routes use for themselves. */
export const reservedNames: ReadonlySet<string> = new Set(["batch", "stats", "metadata", "invalidate"])

/** A collection with the given policy over the defaults. Throws {@link CollectionError}: a bad one is a mistake of the deployer. */
export const define = (name: string, overrides: PolicyInput = {}, application?: Owner): Collection => {
  if (!isCollectionName(name) || reservedNames.has(name)) {
    throw new CollectionError({
      operation: "define",
      reason: "BadName",
      detail: `"${name}" cannot name a collection: use a letter, then letters, digits or dashes, at most 32; ${[...reservedNames].join(", ")} are reserved`
    })
  }
  const policy = { ...defaultPolicy, ...overrides }
  const tagsRule = brokenTagsRule(policy.tags)
  if (tagsRule !== undefined) {
    throw new CollectionError({
      operation: "define",
      reason: "BadPolicy",
      detail: `the tags of "${name}": ${tagsRule}`
    })
  }
  if (!(policy.jitter >= 0 && policy.jitter < 1)) {
    throw new CollectionError({
      operation: "define",
      reason: "BadPolicy",
      detail: `the jitter of "${name}" is ${policy.jitter}; it must be at least 0 and below 1`
    })
  }
  const millis = (duration: Duration.DurationInput) => Duration.toMillis(Duration.decode(duration))
  const memoryTtl = millis(policy.memoryTtl)
  return {
    name,
    policy: {
      ...policy,
      ttl: Duration.decode(policy.ttl),
      memoryTtl: Duration.decode(policy.memoryTtl),
      edgeTtl: Duration.decode(policy.edgeTtl),
      staleFor: Duration.decode(policy.staleFor),
      graceFor: Duration.decode(policy.graceFor),
      negativeTtl: Duration.decode(policy.negativeTtl),
      flushEvery: Duration.decode(policy.flushEvery)
    },
    ...(application === undefined ? {} : { application }),
    millis: {
      ttl: millis(policy.ttl),
      memoryTtl,
      edgeTtl: millis(policy.edgeTtl),
      staleFor: millis(policy.staleFor),
      graceFor: millis(policy.graceFor),
      negativeTtl: Math.min(millis(policy.negativeTtl), memoryTtl)
    }
  }
}
