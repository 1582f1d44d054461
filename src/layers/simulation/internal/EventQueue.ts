interface Event {
  readonly at: number
  readonly order: number
  readonly happen: () => void
}

export interface EventQueue {
  /** @param at milliseconds since the epoch */
  readonly add: (at: number, happen: () => void) => void
  /** The moment of the earliest event; `Infinity` without one. */
  readonly nextAt: () => number
  /** Removes the earliest event; of those at one moment, the one added first. */
  readonly next: () => { readonly at: number; readonly happen: () => void } | undefined
}

const isBefore = (a: Event, b: Event): boolean => a.at < b.at || (a.at === b.at && a.order < b.order)

/** The future event list of a discrete-event simulation: a binary heap. */
export const make = (): EventQueue => {
  const heap: Array<Event> = []
  let added = 0

  const rise = (event: Event): void => {
    let slot = heap.length
    heap.push(event)
    while (slot > 0) {
      const above = (slot - 1) >> 1
      if (!isBefore(event, heap[above]!)) break
      heap[slot] = heap[above]!
      slot = above
    }
    heap[slot] = event
  }

  const sink = (event: Event): void => {
    let slot = 0
    for (;;) {
      let below = 2 * slot + 1
      if (below >= heap.length) break
      if (below + 1 < heap.length && isBefore(heap[below + 1]!, heap[below]!)) below += 1
      if (!isBefore(heap[below]!, event)) break
      heap[slot] = heap[below]!
      slot = below
    }
    heap[slot] = event
  }

  return {
    add: (at, happen) => rise({ at, order: added++, happen }),
    nextAt: () => heap[0]?.at ?? Number.POSITIVE_INFINITY,
    next: () => {
      const first = heap[0]
      const last = heap.pop()
      if (last !== undefined && heap.length > 0) sink(last)
      return first
    }
  }
}
