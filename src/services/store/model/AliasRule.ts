import * as Data from "effect/Data"

/** Where in a key a rule looks: a segment of its path (0, the first, without either), or one parameter's value. */
export interface AliasPlace {
  readonly segment?: number
  readonly parameter?: string
}

/** Letters a to z only, so that no two spellings meet that a language tells apart. */
export interface CaseRule extends AliasPlace {
  readonly rule: "case"
  readonly to: "upper" | "lower"
}

/** `today`, `yesterday`, `tomorrow`, `today-7` and `today+7` become the date in this IANA time zone, `2026-11-21`. */
export interface DateRule extends AliasPlace {
  readonly rule: "date"
  readonly zone: string
}

/** Other words for the same: each becomes what it stands for. */
export interface SynonymsRule extends AliasPlace {
  readonly rule: "synonyms"
  readonly words: { readonly [word: string]: string }
}

/** A parameter that holds this value is left out, if it is there once. */
export interface DefaultRule {
  readonly rule: "default"
  readonly parameter: string
  readonly value: string
}

/** Parameters in the order of their names; those of one name keep theirs. */
export interface OrderRule {
  readonly rule: "order"
}

/**
 * Another shape of the path for the same: `quote/{symbol}/latest` becomes `quotes/{symbol}`. A variable is one whole
 * segment, never empty; both templates have the same ones, once each.
 */
export interface PatternRule {
  readonly rule: "pattern"
  readonly from: string
  readonly to: string
}

/** A key reads as `segment/segment?name=value&name=value`. Rules say which keys mean the same. */
export type AliasRule = CaseRule | DateRule | SynonymsRule | DefaultRule | OrderRule | PatternRule

/** `Malformed`: a rule that means nothing. `Collision`: rules of which one would undo or hide another. */
export class AliasError extends Data.TaggedError("AliasError")<{
  readonly operation: "compile"
  readonly reason: "Malformed" | "Collision"
  readonly detail: string
}> {
  override get message(): string {
    return this.detail
  }
}

export const malformed = (detail: string): AliasError =>
  new AliasError({ operation: "compile", reason: "Malformed", detail })

export const collision = (detail: string): AliasError =>
  new AliasError({ operation: "compile", reason: "Collision", detail })

/** Told the index of every rule that changed something. */
export type Applied = (rule: number) => void
