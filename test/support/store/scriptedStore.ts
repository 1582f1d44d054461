import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type { Conditions } from "../../../src/services/base/model/Preconditions.ts"
import type { Collection } from "../../../src/services/store/model/Collection.ts"
import { defaultContentType, type Entry } from "../../../src/services/store/model/Entry.ts"
import {
  type Acknowledgement,
  type Change,
  type Lookup,
  resultOf,
  Store,
  StoreError,
  type StoreReason,
  type Tier,
  type Written
} from "../../../src/services/store/Store.ts"

type Operation = StoreError["operation"]

/** How a store that only a test needs behaves. Every part can be changed while it runs. */
export interface Script {
  acknowledge: Acknowledgement
  tier: Tier
  /** Milliseconds by which answers are stale (positive) or still fresh (negative). */
  staleBy: number
  fail: ((operation: Operation, key: string) => StoreReason | "Defect" | undefined) | undefined
  retryAfter: number | undefined
  /** Nothing is answered. */
  hangs: boolean
  /** Entries that one `clear` deletes. */
  clearKeys: number
  /** Of all writes so far. */
  readonly conditions: Array<Conditions | undefined>
  readonly entries: Map<string, Entry>
}

export const script = (): Script => ({
  acknowledge: "stored",
  tier: "memory",
  staleBy: -30_000,
  fail: undefined,
  retryAfter: undefined,
  hangs: false,
  clearKeys: 900,
  conditions: [],
  entries: new Map()
})

/** A store over a Map that fails and acknowledges as its script says. */
export const layer = (script: Script): Layer.Layer<Store> => {
  const step = <A>(operation: Operation, key: string, body: (now: number) => A): Effect.Effect<A, StoreError> =>
    Effect.flatMap(Clock.currentTimeMillis, (now) => {
      if (script.hangs) return Effect.never
      const reason = script.fail?.(operation, key)
      if (reason === "Defect") return Effect.die(new TypeError("secret internals at file:///src/layers/Secret.ts:1"))
      if (reason === undefined) return Effect.sync(() => body(now))
      const { retryAfter } = script
      return Effect.fail(new StoreError({ operation, reason, ...(retryAfter === undefined ? {} : { retryAfter }) }))
    })

  const lookup = (id: string, now: number): Lookup => {
    const entry = script.entries.get(id)
    return {
      entry: entry !== undefined && now < entry.expiresAt ? entry : undefined,
      tier: script.tier,
      readAt: now - 2500,
      freshness: script.staleBy > 0 ? "stale" : "fresh",
      freshUntil: now - script.staleBy
    }
  }

  const write = (id: string, value: Uint8Array, options: Partial<Entry> & { ttl?: number }, now: number) => {
    const replaced = script.entries.has(id)
    const stamp = { wall: now, counter: 0, writer: "script" }
    const expiresAt = now + (options.ttl ?? 3_600_000)
    script.entries.set(id, {
      value,
      contentType: options.contentType ?? defaultContentType,
      tags: options.tags ?? [],
      stamp,
      expiresAt,
      loadMillis: 0
    })
    return { stamp, acknowledged: script.acknowledge, replaced, expiresAt }
  }

  const changed = (collection: Collection, change: Change): Effect.Effect<Written, StoreError> => {
    if (!("remove" in change)) return store.set(collection, change.key, change.value, change)
    const stamp = { wall: 0, counter: 0, writer: "script" }
    return Effect.map(store.delete(collection, change.key, change), (acknowledged) => ({
      stamp,
      acknowledged,
      replaced: false,
      expiresAt: 0
    }))
  }

  const store: Store["Type"] = {
    held: () => undefined,
    get: ({ name }, key) => step("get", key, (now) => lookup(`${name}/${key}`, now)),
    getMany: (collection, keys) =>
      Effect.forEach(keys, (key) => Effect.map(Effect.either(store.get(collection, key)), resultOf)),
    getOrLoad: ({ name }, key) => step("get", key, (now) => lookup(`${name}/${key}`, now)),
    set: ({ name }, key, value, options = {}) =>
      step("set", key, (now) => {
        script.conditions.push(options.condition)
        return write(`${name}/${key}`, value, options, now)
      }),
    writeMany: (collection, changes) =>
      Effect.forEach(changes, (change) => Effect.map(Effect.either(changed(collection, change)), resultOf)),
    delete: ({ name }, key, options = {}) =>
      step("delete", key, () => {
        script.conditions.push(options.condition)
        script.entries.delete(`${name}/${key}`)
        return script.acknowledge
      }),
    list: ({ name }, { cursor = "", limit = 1000, prefix = "" }) =>
      step("list", prefix, () => {
        const keys = [...script.entries]
          .filter(([id]) => id.startsWith(`${name}/${prefix}`))
          .map(([id, { expiresAt, tags }]) => ({ key: id.slice(name.length + 1), expiresAt, tags }))
          .filter(({ key }) => key > cursor)
          .sort((a, b) => (a.key < b.key ? -1 : 1))
        const page = keys.slice(0, limit)
        return { keys: page, cursor: keys.length > limit ? page.at(-1)?.key : undefined }
      }),
    invalidateTags: (tags) =>
      step("invalidateTags", tags.join(), () => {
        for (const [id, entry] of script.entries) {
          if (entry.tags.some((tag) => tags.includes(tag))) script.entries.delete(id)
        }
        return { boundMillis: 90_500 }
      }),
    clear: ({ name }) =>
      step("clear", name, () => {
        const ids = [...script.entries.keys()].filter((id) => id.startsWith(`${name}/`))
        const now = ids.slice(0, script.clearKeys)
        for (const id of now) script.entries.delete(id)
        return { deleted: now.length, complete: now.length === ids.length }
      })
  }
  return Layer.succeed(Store, store)
}
