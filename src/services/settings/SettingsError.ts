import * as Data from "effect/Data"

/** A variable whose text means nothing. */
export interface Misfit {
  readonly variable: string
  readonly value: string
  /** What is allowed, or what is wrong: the end of the sentence "it must be …". */
  readonly allowed: string
}

/** Characters of a value that a message repeats. */
const shownCharacters = 80

export const inWords = ({ allowed, value, variable }: Misfit): string => {
  const shown = value.length > shownCharacters ? `${value.slice(0, shownCharacters)}…` : value
  return `${variable} is ${JSON.stringify(shown)}: it must be ${allowed}`
}

/** Variables that are wrong, all of them at once. */
export class SettingsError extends Data.TaggedError("SettingsError")<{
  readonly operation: "read"
  readonly reason: "Invalid"
  readonly misfits: ReadonlyArray<Misfit>
}> {
  override get message(): string {
    return this.misfits.map(inWords).join("\n")
  }
}
