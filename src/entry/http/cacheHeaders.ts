import type { Entry } from "../../services/store/model/Entry.ts"
import type { Lookup } from "../../services/store/Store.ts"

/**
 * `Cache-Status` (RFC 9211) of a lookup, `detail` naming the tier. `ttl` counts whole seconds, below zero for an entry
 * served stale or by grace; it is left out when the tier holds the entry for ever. `fwd=stale`: the store of record was
 * asked, and what is served is not from there.
 */
export const cacheStatus = (lookup: Lookup, now: number): string => {
  if (lookup.entry === undefined) return `Larder; fwd=uri-miss; detail=${lookup.tier}`
  if (lookup.freshness === "stale" && lookup.tier === "kv") return "Larder; fwd=stale; detail=kv"
  const ttl = Math.floor((lookup.freshUntil - now) / 1000)
  return Math.abs(ttl) <= maxInteger
    ? `Larder; hit; ttl=${ttl}; detail=${lookup.tier}`
    : `Larder; hit; detail=${lookup.tier}`
}

/** The largest integer of a structured field (RFC 9651, 3.3.1). */
const maxInteger = 999_999_999_999_999

/** Whole seconds since the authoritative tier gave the answer. */
export const age = (lookup: Lookup, now: number): string =>
  String(Math.max(0, Math.floor((now - lookup.readAt) / 1000)))

/** `Server-Timing` of one step. Milliseconds; a Worker's clock only moves with I/O, so a memory hit shows 0. */
export const serverTiming = (step: string, millis: number): string => `${step};dur=${millis}`

const expiries = new WeakMap<Entry, string>()

/** `Expires`, written once per entry; undefined for an entry that never does. */
export const expiresOf = (entry: Entry): string | undefined => {
  if (!Number.isFinite(entry.expiresAt)) return undefined
  let text = expiries.get(entry)
  if (text === undefined) {
    text = new Date(entry.expiresAt).toUTCString()
    expiries.set(entry, text)
  }
  return text
}

const changes = new WeakMap<Entry, string>()

/** `Last-Modified`, written once per entry: when its write was made; undefined for what Larder did not write. */
export const lastModifiedOf = (entry: Entry): string | undefined => {
  if (entry.stamp.wall === 0) return undefined
  let text = changes.get(entry)
  if (text === undefined) {
    text = new Date(entry.stamp.wall).toUTCString()
    changes.set(entry, text)
  }
  return text
}
