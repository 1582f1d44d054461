import * as Effect from "effect/Effect"
import { hashOf } from "../../services/base/model/Hash.ts"
import { type Problem, problem } from "./problem.ts"

/**
 * What a page of a list says for the next one: the store's own cursor with a check, so that nobody takes anything else for
 * one, or that of one list for another's.
 */
export const cursorFrom = (list: string, own: string): string =>
  `${hashOf(`${list}\n${own}`).toString(36)}.${encodeURIComponent(own)}`

/** The store's own cursor, as an option of its list. */
export const ownCursor = (
  list: string,
  cursor: string | undefined
): Effect.Effect<{ readonly cursor?: string }, Problem> => {
  if (cursor === undefined) return Effect.succeed({})
  const own = ownOf(cursor.slice(cursor.indexOf(".") + 1))
  return own !== undefined && cursorFrom(list, own) === cursor
    ? Effect.succeed({ cursor: own })
    : Effect.fail(problem("bad-parameter", "cursor: this is not one that a page of this list gave"))
}

const ownOf = (text: string): string | undefined => {
  try {
    return decodeURIComponent(text)
  } catch {
    return undefined
  }
}
