import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"

/** Of one isolate: a client that tries keys fills no log. */
const everyMillis = 10_000

/** Bytes of the digest that are logged: enough to know a mistyped or retired key again, not to find one. */
const digestBytes = 4

const digestOf = async (key: string): Promise<string> => {
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(key))
  return Array.from(new Uint8Array(digest, 0, digestBytes), (byte) => byte.toString(16).padStart(2, "0")).join("")
}

/** Logs requests with a key that is none, never the key: one every ten seconds at most, with how many there were. */
export const make = (): ((request: Request) => Effect.Effect<void>) => {
  let loggedAt = Number.NEGATIVE_INFINITY
  let refused = 0
  return (request) =>
    Effect.gen(function* () {
      const key = request.headers.get("X-API-KEY")
      if (key === null) return
      refused += 1
      const now = yield* Clock.currentTimeMillis
      if (now - loggedAt < everyMillis) return
      loggedAt = now
      const about = { key: `sha256:${yield* Effect.promise(() => digestOf(key))}`, requests: refused }
      refused = 0
      const { pathname } = new URL(request.url)
      yield* Effect.logWarning("a request with a wrong API key was refused", {
        ...about,
        method: request.method,
        path: pathname.slice(0, 200)
      })
    })
}
