import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import { KeyAlias } from "../../services/aliasing/KeyAlias.ts"
import { DurableCache, DurableCacheError } from "../../services/durable/DurableCache.ts"
import { physicalKey } from "../../services/kv/model/PhysicalKey.ts"
import { Settings } from "../../services/settings/Settings.ts"
import type { Collection } from "../../services/store/model/Collection.ts"
import type { Entry } from "../../services/store/model/Entry.ts"
import { namedTags } from "../../services/store/model/Tags.ts"
import { codingOf } from "../../services/store/model/ValueCoding.ts"
import { addressOf, ReadPath } from "../../services/tiers/ReadPath.ts"
import { isoTime } from "../http/isoTime.ts"

const seconds = (millis: number): string =>
  Number.isFinite(millis) ? `${Math.max(0, Math.round(millis / 1000))} s` : "for ever"

const about = (entry: Entry, now: number) => {
  const coding = codingOf(entry.contentType)
  return {
    bytes: entry.value.byteLength,
    ...(coding === undefined ? {} : { coding: coding.coding }),
    contentType: coding?.contentType ?? entry.contentType,
    tags: namedTags(entry.tags),
    writtenAt: entry.stamp.wall === 0 ? null : isoTime(entry.stamp.wall),
    expiresIn: seconds(entry.expiresAt - now)
  }
}

/** Where one key lives, and why a read of it is answered as it is. At most one Durable Object request, no KV operation. */
export const explainKey = (collection: Collection, key: string) =>
  Effect.gen(function* () {
    const alias = yield* KeyAlias
    const settings = yield* Settings
    const durable = yield* DurableCache
    const readPath = yield* ReadPath
    const now = yield* Clock.currentTimeMillis
    const canonical = alias.canonical(collection, key, now)
    const address = addressOf(collection, canonical)
    const held = readPath.known(address, now)
    const inObjects = settings.durableMode && durable.enabled
    const [found] = inObjects ? yield* durable.getMany([address.id]) : []
    const why: Array<string> = []
    if (canonical !== key) why.push(`An alias rule of ${collection.name} makes it "${canonical}".`)
    const { edgeTtl, memoryTtl } = collection.millis
    if (!settings.memoryTier) why.push("The memory tier is off.")
    else if (held === undefined)
      why.push("Memory of this isolate does not hold it: nobody asked here lately, or it was displaced.")
    else {
      const age = now - held.readAt
      why.push(
        age < memoryTtl
          ? `Memory of this isolate answers it for another ${seconds(memoryTtl - age)} (memoryTtl ${seconds(memoryTtl)}).`
          : `Memory of this isolate holds it, but longer than memoryTtl (${seconds(memoryTtl)}): the next read asks further.`
      )
    }
    why.push(
      settings.edgeTier && edgeTtl > 0
        ? `The edge cache of a location may answer it for up to ${seconds(edgeTtl)}.`
        : "The edge cache does not answer it."
    )
    if (found instanceof DurableCacheError)
      why.push(`Its object is out of reach (${found.reason}): the snapshot answers.`)
    else if (inObjects) {
      why.push(
        found === undefined
          ? `The object ${durable.objectOf(address.id)} holds nothing under it.`
          : `The object ${durable.objectOf(address.id)} keeps it; every read that comes so far is answered there.`
      )
    } else why.push(`KV keeps it under "${physicalKey(collection.name, canonical)}", if it is there.`)
    return {
      collection: collection.name,
      key,
      canonical,
      id: address.id,
      object: inObjects ? durable.objectOf(address.id) : null,
      memory:
        held === undefined ? null : { readAt: isoTime(held.readAt), entry: held.entry ? about(held.entry, now) : null },
      stored: found === undefined || found instanceof DurableCacheError ? null : about(found, now),
      why
    }
  })
