/** 32 bits of a text: FNV-1a over its UTF-16 units (Fowler, Noll and Vo, 1991; draft-eastlake-fnv). */
export const hashOf = (text: string): number => {
  let hash = 0x811c9dc5
  for (let at = 0; at < text.length; at++) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193)
  return hash >>> 0
}

/** MurmurHash3's finalizer (Appleby, 2011): every bit of the hash depends on every bit before. */
const mixed = (hash: number): number => {
  const first = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  const second = Math.imul(first ^ (first >>> 13), 0xc2b2ae35)
  return (second ^ (second >>> 16)) >>> 0
}

const digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"

/** 36 bits of a text as 6 digits of base64url, without node:crypto, which not every Worker has. */
export const shortHashOf = (text: string): string => {
  const low = mixed(hashOf(text))
  const high = mixed(hashOf(`\u0000${text}`))
  const bits = [low, low >>> 6, low >>> 12, low >>> 18, low >>> 24, (low >>> 30) | (high << 2)]
  return bits.map((it) => digits[it & 63]).join("")
}
