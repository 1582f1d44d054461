import * as Context from "effect/Context"
import type { AliasRule } from "../store/model/AliasRule.ts"
import type { Collection } from "../store/model/Collection.ts"

/** Two keys of one collection that nobody called the same, and the evidence that they might be. */
export interface AliasSuggestion {
  readonly collection: string
  readonly keys: readonly [string, string]
  /** Different values that both were seen to hold. */
  readonly equal: number
  /** Values that one of them held and the other was not seen to. */
  readonly unequal: number
  /** The kind of rule that would join them, where their spelling shows it. */
  readonly rule: "case" | "order" | undefined
}

export interface AliasStats {
  readonly byCollection: {
    readonly [collection: string]: {
      /** Keys that a rule changed. */
      readonly changed: number
      readonly rules: ReadonlyArray<{ readonly rule: AliasRule; readonly applied: number }>
    }
  }
  /** Those with the most evidence first. Nothing is ever joined because of one: that takes a declared rule. */
  readonly suggestions: ReadonlyArray<AliasSuggestion>
}

/** Canonical keys. Synchronous: it is on the way of every read that memory answers. */
export class KeyAlias extends Context.Tag("larder/KeyAlias")<
  KeyAlias,
  {
    /** The key that stands for all that the collection's rules call the same; `now` in milliseconds since the epoch. */
    readonly canonical: (collection: Collection, key: string, now: number) => string
    /** Counts the rules that change this key. Apart from `canonical`, as one request may need that more than once. */
    readonly count: (collection: Collection, key: string, now: number) => void
    /** Takes note of a value that a key was given, to learn which keys keep holding equal ones. */
    readonly observe: (collection: Collection, key: string, value: Readonly<Uint8Array>) => void
    readonly stats: () => AliasStats
  }
>() {}
