/**
 * How much of a memory tier its siblings may take. It starts at 5 %, and after each sample climbs while a byte of theirs
 * is asked for more often than a byte at the margin of the others, up to 30 %, and falls while it is not, down to none;
 * from there it tries again after a while. Five per cent is where measured gains have come and losses have not
 * (read-side packing on 13 public traces, N = 8: docs/decisions/0014-pages-are-ranges-of-keys.md).
 */
export class SiblingShare {
  /** Of the tier's capacity. */
  share = initialShare
  #resolved = 0
  #hits = 0
  #declined = 0
  #groups = new Map<string, Group>()

  /** Whether an offer of the group should be taken in. */
  wants(name: string): boolean {
    if (this.share === 0) {
      if (++this.#declined < retryAfter) return false
      this.#declined = 0
      this.share = leastStep
    }
    const group = this.#groups.get(name)
    if (group === undefined || !group.off) return true
    if (++group.declined < retryAfter) return false
    group.off = false
    group.declined = group.hits = group.resolved = 0
    return true
  }

  /**
   * Counts a sibling that was asked for, or left unasked; true when `share` has moved.
   *
   * @param siblingBytes,othersBytes what both hold now
   * @param othersHits how often the others were asked for since the last sample
   */
  resolve(name: string, hit: boolean, siblingBytes: number, othersBytes: number, othersHits: number): boolean {
    this.#judge(name, hit)
    if (hit) this.#hits++
    if (++this.#resolved < sample) return false
    const ownWorth = this.#hits / Math.max(1, siblingBytes)
    const marginalWorth = (marginal * othersHits) / Math.max(1, othersBytes)
    const useful = this.#hits > leastUse * this.#resolved && ownWorth > marginalWorth
    const step = Math.max(leastStep, this.share / 4)
    this.share = useful
      ? Math.min(greatestShare, this.share + step)
      : this.share - step < leastStep
        ? 0
        : this.share - step
    this.#resolved = this.#hits = 0
    return true
  }

  #judge(name: string, hit: boolean): void {
    const group = this.#groups.get(name) ?? { resolved: 0, hits: 0, declined: 0, off: false }
    if (!this.#groups.has(name)) {
      if (this.#groups.size >= rememberedGroups) this.#groups.delete(this.#groups.keys().next().value!)
      this.#groups.set(name, group)
    }
    if (hit) group.hits++
    if (++group.resolved < sample) return
    group.off = group.hits <= leastUse * group.resolved
    group.resolved = group.hits = 0
  }
}

interface Group {
  resolved: number
  hits: number
  declined: number
  off: boolean
}

const initialShare = 0.05
const greatestShare = 0.3
const leastStep = 0.01
/** Siblings that were asked for or left, between two decisions. */
const sample = 256
/** Of the siblings that leave, the share that must have been asked for. */
const leastUse = 0.01
/** Offers turned away before one more sample is tried. */
const retryAfter = 16_384
/** Under Zipf's law the marginal byte of a cache is asked for a fifth to a tenth as often as its average one. */
const marginal = 0.2
const rememberedGroups = 256
