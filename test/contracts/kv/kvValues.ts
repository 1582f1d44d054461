import * as fc from "effect/FastCheck"

const encoder = new TextEncoder()
export const bytes = (text: string): Uint8Array => encoder.encode(text)
export const mark = [0xef, 0xbb, 0xbf]

export const allBytes = Uint8Array.from({ length: 256 }, (_, i) => i)

export const values: ReadonlyArray<readonly [name: string, value: Uint8Array]> = [
  ["every byte", allBytes],
  ["an overlong form", Uint8Array.of(0xc0, 0x80)],
  ["half a character", Uint8Array.of(0x61, 0xe2, 0x82)],
  ["an encoded surrogate", Uint8Array.of(0xed, 0xa0, 0x80)],
  ["two byte order marks", Uint8Array.of(...mark, ...mark, 0x61)],
  ["a byte order mark inside", Uint8Array.of(0x61, ...mark)],
  ["U+FFFD itself", bytes("a\uFFFDb")],
  ["NUL", Uint8Array.of(0)],
  ["text beyond the BMP", bytes("naïve 😀 \u{10FFFF}")],
  ["nothing", new Uint8Array(0)]
]

export const legalKeys: ReadonlyArray<readonly [name: string, key: string]> = [
  ["one letter", "a"],
  ["512 letters", "a".repeat(512)],
  ["512 bytes of two each", "é".repeat(256)],
  ["512 bytes of four each", "😀".repeat(128)],
  ["what a URL would take apart", "a/b?c=d&e#f%41"],
  ["a space", " "],
  ["three dots", "..."],
  ["a tilde in front", "~x"],
  ["the name of every object's prototype", "__proto__"]
]

export const illegalKeys: ReadonlyArray<readonly [name: string, key: string]> = [
  ["the empty key", ""],
  ["one dot", "."],
  ["two dots", ".."],
  ["513 letters", "a".repeat(513)],
  ["514 bytes of two each", "é".repeat(257)],
  ["516 bytes of four each", "😀".repeat(129)],
  ["a lone high surrogate", "a\uD800"],
  ["a lone low surrogate", "\uDC00a"]
]

/** JSON that survives JSON: what can be told apart only in memory is left out, and so is what is over 1,024 bytes. */
export const metadata = fc
  .jsonValue({ maxDepth: 2 })
  .map((value): unknown => JSON.parse(JSON.stringify(value)))
  .filter((value) => bytes(JSON.stringify(value)).byteLength <= 1024)

const value = fc.oneof(
  fc.uint8Array({ maxLength: 64 }),
  fc.string({ unit: "binary", maxLength: 32 }).map(bytes),
  fc.constantFrom(...values.map(([, bytes]) => bytes))
)

export const bulkExact = value.filter((value) => !mark.every((byte, i) => value[i] === byte))

export const name = fc.string({ unit: "binary", minLength: 1, maxLength: 12 }).filter((name) => !name.includes("\0"))
