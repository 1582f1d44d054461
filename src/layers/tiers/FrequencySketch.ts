/**
 * How often an id was asked for lately: a count-min sketch of 4-bit counters that forgets by halving.
 *
 * An id owns one counter in each of four rows; asking raises all four, and the least of them is the estimate, since
 * strangers who share a counter can only raise it. Once the counters have taken five raises for every one there is in a
 * row, all are halved, so that old fame fades. The four counters of an id lie in one block of 64 bytes, a single line of
 * the processor's cache, eight of them to a 32-bit word.
 *
 * Cormode and Muthukrishnan, An Improved Data Stream Summary (2005); Einziger, Friedman and Manes, TinyLFU (ACM TOS
 * 2017); the blocks are those of Caffeine's FrequencySketch.
 */
export class FrequencySketch {
  #words = new Int32Array(minimumBlocks * wordsPerBlock)
  #blockMask = minimumBlocks - 1
  #raises = 0

  /** The greatest estimate. */
  static readonly saturation = 15

  /** Raises after which all counters are halved. */
  get period(): number {
    return this.#words.length * raisesPerWord
  }

  /** Makes room to tell this many entries apart. Doubling keeps every estimate: both halves begin as copies. */
  ensure(entries: number): void {
    while (this.#words.length * countersPerWord < entries * countersPerEntry) {
      const words = this.#words
      this.#words = new Int32Array(words.length * 2)
      this.#words.set(words)
      this.#words.set(words, words.length)
      this.#blockMask = this.#words.length / wordsPerBlock - 1
    }
  }

  add(hash: number): void {
    const words = this.#words
    const block = (hash & this.#blockMask) * wordsPerBlock
    const spread = spreadOf(hash)
    const raised =
      raise(words, block, spread) |
      raise(words, block + 4, spread >>> 5) |
      raise(words, block + 8, spread >>> 10) |
      raise(words, block + 12, spread >>> 15)
    if (raised !== 0 && ++this.#raises >= this.period) this.#halve()
  }

  /** At least how often the hash was added since then, halvings applied, up to the saturation. */
  estimate(hash: number): number {
    const words = this.#words
    const block = (hash & this.#blockMask) * wordsPerBlock
    const spread = spreadOf(hash)
    return Math.min(
      count(words, block, spread),
      count(words, block + 4, spread >>> 5),
      count(words, block + 8, spread >>> 10),
      count(words, block + 12, spread >>> 15)
    )
  }

  #halve(): void {
    const words = this.#words
    for (let i = 0; i < words.length; i++) words[i] = (words[i]! >>> 1) & 0x77777777
    this.#raises >>>= 1
  }
}

const minimumBlocks = 16
const wordsPerBlock = 16
const countersPerWord = 8
const countersPerEntry = 16
const raisesPerWord = 10

/** Which counter of each row: 5 bits a row, 2 for the word and 3 for the counter in it. */
const spreadOf = (hash: number): number => {
  const product = Math.imul(hash, 0x9e3779b1)
  return product ^ (product >>> 15)
}

const raise = (words: Int32Array, row: number, spread: number): number => {
  const word = row + (spread & 3)
  const shift = spread & 28
  if (((words[word]! >>> shift) & 15) === 15) return 0
  words[word] = words[word]! + (1 << shift)
  return 1
}

const count = (words: Int32Array, row: number, spread: number): number =>
  (words[row + (spread & 3)]! >>> (spread & 28)) & 15

/** 32 bits of an id. Without the seed nobody can choose ids that share their counters. */
export const hashOf = (id: string, seed: number): number => {
  let hash = seed | 0
  for (let i = 0; i < id.length; i++) {
    hash = Math.imul(hash ^ id.charCodeAt(i), 0x5bd1e995)
    hash ^= hash >>> 15
  }
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
  return hash ^ (hash >>> 16)
}
