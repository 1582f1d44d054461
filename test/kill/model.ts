/** What one write leaves under its key: a number put, or nothing. */
export type Left = number | "absent"

interface Key {
  acknowledged: boolean
  /** How often its disk has been lost. */
  losses: number
  /** What may be found there: what the last acknowledged write left, and those sent since that got no answer. */
  may: Set<Left>
  /** The same once its disk is lost: what a snapshot has that was completed, and what may have come into a later one. */
  afterLoss: Set<Left>
  /** What a flush that is under way has, and what may have come into it since. */
  flushing: Set<Left> | undefined
}

/**
 * What must be found after a restart, and after a disk was lost. Each key is written by one writer that waits for every
 * answer, so that the order of its writes is known: some again and again, others once.
 */
export class Model {
  private readonly keys = new Map<string, Key>()
  private numbers = 0
  acknowledged = 0
  /** Keys found as an acknowledged write had left them; and where more than one thing could be. */
  asAcknowledged = 0
  asSent = 0

  next(): number {
    return ++this.numbers
  }

  names(): ReadonlyArray<string> {
    return [...this.keys.keys()]
  }

  /** What is to be called with the acknowledgement: it may be of a disk that was lost while it was on its way. */
  sent(name: string, left: Left): () => void {
    const key = this.keys.get(name) ?? {
      acknowledged: false,
      losses: 0,
      may: new Set<Left>(["absent"]),
      afterLoss: new Set<Left>(["absent"]),
      flushing: undefined
    }
    this.keys.set(name, key)
    for (const set of [key.may, key.afterLoss, key.flushing]) set?.add(left)
    const { losses } = key
    return () => {
      this.acknowledged += 1
      key.acknowledged = true
      if (key.losses === losses) key.may = new Set([left])
    }
  }

  /** A flush of all objects begins: what is acknowledged now is in it if it completes. The end of it. */
  flush(): { readonly completed: () => void; readonly failed: () => void } {
    const flushed = [...this.keys].map(([name, key]) => {
      const own = new Set(key.may)
      key.flushing = own
      return [name, key, own] as const
    })
    const end = (isComplete: boolean) => () => {
      for (const [name, key, own] of flushed) {
        if (this.keys.get(name) !== key || key.flushing !== own) continue
        key.flushing = undefined
        if (isComplete) key.afterLoss = own
      }
    }
    return { completed: end(true), failed: end(false) }
  }

  /** A disk is being destroyed that has the keys for which this is true. What is to be called when it is. */
  destroy(concerns: (name: string) => boolean): () => void {
    const lose = () => {
      for (const [name, key] of this.keys) {
        if (!concerns(name)) continue
        key.losses += 1
        // A flush that began before may have saved nothing of it.
        key.flushing = undefined
        key.may = new Set([...key.may, ...key.afterLoss])
      }
    }
    lose()
    return lose
  }

  /** Holds what was found under a key against what may be there; what is wrong with it, or undefined. */
  found(name: string, seen: Left): string | undefined {
    const key = this.keys.get(name)!
    if (!key.may.has(seen)) return `${name}: found ${seen}, and may be ${[...key.may].join(" or ")}`
    if (key.may.size > 1) this.asSent += 1
    else this.asAcknowledged += key.acknowledged ? 1 : 0
    key.may = new Set([seen])
    return undefined
  }
}
