/** Whether bytes of a media type become smaller: `never` is for formats that are compressed by themselves. */
export type Compressibility = "always" | "never" | "unknown"

/** The type alone, in lower case: `text/html; charset=utf-8` is `text/html`. */
export const mediaTypeOf = (contentType: string): string => contentType.split(";", 1)[0]!.trim().toLowerCase()

export const compressibilityOf = (mediaType: string): Compressibility => {
  if (textual.test(mediaType)) return "always"
  return packed.test(mediaType) ? "never" : "unknown"
}

const textual =
  /^(?:text\/.*|message\/.*|.*\+(?:json|xml|text|yaml)|application\/(?:json|xml|javascript|x-javascript|ecmascript|x-ndjson|ndjson|jsonl|json-seq|yaml|x-yaml|toml|sql|graphql|rtf|wasm|x-sh|x-www-form-urlencoded|manifest\+json|postscript)|image\/(?:svg\+xml|bmp|x-icon|vnd\.microsoft\.icon)|font\/(?:ttf|otf|collection)|application\/(?:vnd\.ms-fontobject|x-font-ttf))$/

const packed =
  /^(?:image\/.*|video\/.*|audio\/(?!wav|x-wav|aiff).*|font\/woff2?|application\/(?:zip|gzip|x-gzip|zstd|x-7z-compressed|x-bzip2?|x-xz|x-rar-compressed|vnd\.rar|java-archive|epub\+zip|vnd\.openxmlformats-.*|vnd\.oasis\.opendocument\..*|vnd\.android\.package-archive))$/

/** Under this many bytes the frame of a codec takes what it saves; a preset dictionary pays from {@link minDictionaryBytes}. */
export const minBytes = 256

export const minDictionaryBytes = 32

/** Up to this many bytes, JSON gains more from the preset dictionary than from a window of its own. */
export const maxDictionaryBytes = 2048

/** What compression must save to be kept: decoding costs every reader time. */
export const minSaving = 0.1

export const isWorthKeeping = (before: number, after: number): boolean => after <= before * (1 - minSaving)

/** Bytes from the middle of a value of unknown type that are tried first. */
export const probeBytes = 4096

export const probeOf = (bytes: Uint8Array): Uint8Array => {
  if (bytes.byteLength <= probeBytes) return bytes
  const from = (bytes.byteLength - probeBytes) >> 1
  return bytes.subarray(from, from + probeBytes)
}
