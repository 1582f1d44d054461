import type { Entry } from "../../store/model/Entry.ts"
import type { ValueType } from "./KvArguments.ts"

/** The platform keeps a byte order mark. */
const decoder = new TextDecoder("utf-8", { fatal: false, ignoreBOM: true })

/**
 * A stored value as a `get` of this type gives it. What is handed out is the caller's: parsed for each call, buffers and
 * streams of a copy. Throws what `JSON.parse` throws where the value is no JSON.
 */
export const valueAs = (type: ValueType, value: Uint8Array): unknown => {
  switch (type) {
    case "text":
      return decoder.decode(value)
    case "json":
      return JSON.parse(decoder.decode(value))
    case "arrayBuffer":
      return value.slice().buffer
    case "stream":
      return new Response(value.slice()).body
  }
}

/** What `getWithMetadata` gives for one key. */
export const withMetadata = (type: ValueType, entry: Entry | undefined) => ({
  value: entry === undefined ? null : valueAs(type, entry.value),
  metadata: entry?.metadata === undefined ? null : structuredClone(entry.metadata),
  cacheStatus: null
})
