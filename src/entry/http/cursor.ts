import { Buffer } from "node:buffer"
import * as Effect from "effect/Effect"
import { hashOf } from "../../services/base/model/Hash.ts"
import { type Problem, problem } from "./problem.ts"

/**
 * What a page of a list says for the next one: the store's own cursor with a check, so that nobody takes anything else for
 * one, or that of one list for another's. It needs no escape in a query.
 */
export const cursorFrom = (list: string, own: string): string =>
  `${hashOf(`${list}\n${own}`).toString(36)}.${Buffer.from(own).toString("base64url")}`

/** The store's own cursor, as an option of its list. */
export const ownCursor = (
  list: string,
  cursor: string | undefined
): Effect.Effect<{ readonly cursor?: string }, Problem> => {
  if (cursor === undefined) return Effect.succeed({})
  const own = Buffer.from(cursor.slice(cursor.indexOf(".") + 1), "base64url").toString()
  return cursorFrom(list, own) === cursor
    ? Effect.succeed({ cursor: own })
    : Effect.fail(problem("bad-parameter", "cursor: this is not one that a page of this list gave"))
}
