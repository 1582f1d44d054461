import { problem, toResponse } from "../http/problem.ts"

/** What browsers of other origins are told, by the setting `CORS_ORIGINS`. */
export interface Cors {
  /** The answer to a preflight, which carries no key; undefined for any other request. */
  readonly preflight: (request: Request) => Response | undefined
  readonly allow: (request: Request, response: Response) => Response
}

/** Seconds for which a browser may keep the answer to a preflight; none keeps it longer than two hours. */
const maxAge = "7200"

const methods = "GET, HEAD, PUT, POST, PATCH, DELETE"

/** Names of headers, as a preflight lists those that its request would have. */
const tokens = /^[\w!#$%&'*+.^`|~-]+(?:\s*,\s*[\w!#$%&'*+.^`|~-]+)*$/

/** `https://*.example.com` stands for every host below that one, not for itself. */
const matcher = (allowed: string): ((origin: string) => boolean) => {
  const at = allowed.indexOf("*.")
  if (at === -1) return (origin) => origin === allowed
  const scheme = allowed.slice(0, at)
  const host = allowed.slice(at + 1)
  return (origin) =>
    origin.startsWith(scheme) &&
    origin.endsWith(host) &&
    /^[a-z0-9.-]+$/.test(origin.slice(scheme.length, -host.length))
}

export const make = (origins: ReadonlyArray<string>): Cors => {
  const all = origins.includes("*")
  const matchers = origins.map(matcher)
  const allowed = (origin: string): boolean => all || matchers.some((matches) => matches(origin))

  const allow = (request: Request, response: Response): Response => {
    if (origins.length === 0) return response
    const origin = request.headers.get("Origin")
    const named = origin !== null && allowed(origin)
    if (all && !named) return response
    const answer = new Response(response.body, response)
    if (!all) answer.headers.append("Vary", "Origin")
    if (named) {
      answer.headers.set("Access-Control-Allow-Origin", all ? "*" : origin)
      answer.headers.set("Access-Control-Expose-Headers", "*")
    }
    return answer
  }

  return {
    allow,
    preflight: (request) => {
      const origin = request.headers.get("Origin")
      if (request.method !== "OPTIONS" || origin === null) return undefined
      if (!request.headers.has("Access-Control-Request-Method")) return undefined
      if (!allowed(origin)) {
        return toResponse(request, problem("forbidden-origin", "the setting CORS_ORIGINS does not name this origin"), {
          Vary: "Origin"
        })
      }
      const wanted = request.headers.get("Access-Control-Request-Headers") ?? ""
      return new Response(null, {
        status: 204,
        headers: {
          "Access-Control-Allow-Origin": all ? "*" : origin,
          "Access-Control-Allow-Methods": methods,
          ...(tokens.test(wanted) ? { "Access-Control-Allow-Headers": wanted } : {}),
          "Access-Control-Max-Age": maxAge,
          "Cache-Control": "no-store",
          Vary: "Origin, Access-Control-Request-Headers"
        }
      })
    }
  }
}
