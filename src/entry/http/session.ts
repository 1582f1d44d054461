import { isSession } from "../../services/base/Session.ts"

/** The session that a request says it belongs to, in its header `Larder-Session`. */
export const sessionOf = (request: Request): string | undefined => {
  const named = request.headers.get("Larder-Session")
  return named !== null && isSession(named) ? named : undefined
}
