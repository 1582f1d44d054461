import { decodeIndex, encodeIndex } from "../../../services/compression/model/GzipBlocks.ts"
import type { ObjectInfo } from "../../../services/files/ObjectStore.ts"
import type { IndexShelf } from "./KnownObjects.ts"

/** A day: an index is of no use once its object was replaced, which the object's tag tells. */
const seconds = 86_400

/**
 * Indexes in the Cache API of the location, which costs nothing and outlives isolates. No effect on workers.dev: there
 * every match is a miss.
 */
export const indexShelf = (cache: () => Cache): IndexShelf => {
  const urlOf = (key: string): string => `https://larder-files.internal/${encodeURIComponent(key)}`
  return {
    get: async (key) => {
      try {
        const found = await cache().match(urlOf(key))
        if (found === undefined) return undefined
        const { index: text, info } = (await found.json()) as { readonly info: ObjectInfo; readonly index: string }
        const index = decodeIndex(text, info.storedBytes)
        return index && { info, index }
      } catch {
        return undefined
      }
    },
    put: async (key, { index, info }) => {
      const headers = { "Cache-Control": `max-age=${seconds}` }
      try {
        await cache().put(urlOf(key), Response.json({ info, index: encodeIndex(index) }, { headers }))
      } catch {
        // The next isolate reads it from the bucket.
      }
    }
  }
}
