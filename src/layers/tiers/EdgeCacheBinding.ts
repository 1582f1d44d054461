import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import type { Entry, Observation } from "../../services/store/model/Entry.ts"
import { EdgeCache, EdgeCacheError } from "../../services/tiers/EdgeCache.ts"

/** What travels in a header beside the body; the entry's fields without its value, or none for an absence. */
interface Envelope extends Omit<Observation, "entry"> {
  readonly entry?: Omit<Entry, "value" | "expiresAt"> & { readonly expiresAt: number | null }
}

const header = "larder-observation"

/**
 * The Cache API of the location that runs this Worker, under a host name of our own. No effect on workers.dev and in
 * previews: there every match is a miss.
 */
export const make = (cache: () => Cache, host: string): EdgeCache["Type"] => {
  const urlOf = (id: string): string => `https://${host}/${encodeURIComponent(id)}`
  const attempt = <A>(operation: EdgeCacheError["operation"], run: (cache: Cache) => Promise<A>) =>
    Effect.tryPromise({
      try: () => run(cache()),
      catch: (cause) => new EdgeCacheError({ operation, reason: "Unavailable", cause })
    })
  return {
    match: (id) =>
      attempt("match", async (cache) => {
        const response = await cache.match(urlOf(id))
        if (response === undefined) return Option.none<Observation>()
        const body = new Uint8Array(await response.arrayBuffer())
        return fromHeader(response.headers.get(header), body)
      }),
    put: (id, observation, until) =>
      Effect.flatMap(Clock.currentTimeMillis, (now) => {
        const seconds = Math.floor((until - now) / 1000)
        if (seconds < 1) return Effect.void
        return attempt("put", (cache) => cache.put(urlOf(id), toResponse(observation, seconds)))
      }),
    delete: (id) => Effect.asVoid(attempt("delete", (cache) => cache.delete(urlOf(id)))),
    enabled: true
  }
}

export const layer = (host: string): Layer.Layer<EdgeCache> =>
  Layer.sync(EdgeCache, () => make(() => caches.default, host))

const toResponse = ({ entry, ...observation }: Observation, seconds: number): Response => {
  const { value, ...rest } = entry ?? { value: undefined }
  const envelope = {
    ...observation,
    ...(entry === undefined
      ? {}
      : { entry: { ...rest, expiresAt: Number.isFinite(entry.expiresAt) ? entry.expiresAt : null } })
  }
  return new Response(value ?? null, {
    headers: {
      "Cache-Control": `public, max-age=${seconds}`,
      "Content-Type": "application/octet-stream",
      [header]: encodeURIComponent(JSON.stringify(envelope))
    }
  })
}

const fromHeader = (text: string | null, value: Uint8Array): Option.Option<Observation> => {
  if (text === null) return Option.none()
  const { entry, ...observation } = JSON.parse(decodeURIComponent(text)) as Envelope
  return Option.some({
    ...observation,
    entry: entry === undefined ? undefined : { ...entry, value, expiresAt: entry.expiresAt ?? Number.POSITIVE_INFINITY }
  })
}
