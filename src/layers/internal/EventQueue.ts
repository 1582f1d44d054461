/** A moment at which something happens; `happen` is undefined once cancelled. */
export interface Event {
  /** Milliseconds since the epoch. */
  readonly at: number
  readonly order: number
  happen: (() => void) | undefined
}

export interface EventQueue {
  readonly add: (at: number, happen: () => void) => Event
  readonly cancel: (event: Event) => void
  /** Removes the earliest event; of those at one moment, the one added first. */
  readonly next: () => { readonly at: number; readonly happen: () => void } | undefined
  readonly size: () => number
}

const isBefore = (a: Event, b: Event): boolean => a.at < b.at || (a.at === b.at && a.order < b.order)

/**
 * The future event list of a discrete-event simulation: a binary heap. A cancelled event stays where it is until
 * the cancelled outnumber the living, as deadlines that are never reached are most of what such a list holds.
 */
export const make = (): EventQueue => {
  let heap: Array<Event> = []
  let added = 0
  let cancelled = 0

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

  const pop = (): Event | undefined => {
    const first = heap[0]
    const last = heap.pop()
    if (last !== undefined && heap.length > 0) sink(last)
    return first
  }

  return {
    add: (at, happen) => {
      const event: Event = { at, order: added++, happen }
      rise(event)
      return event
    },
    cancel: (event) => {
      if (event.happen === undefined) return
      event.happen = undefined
      cancelled += 1
      if (cancelled < 1024 || cancelled * 2 < heap.length) return
      heap = heap.filter((kept) => kept.happen !== undefined).sort((a, b) => (isBefore(a, b) ? -1 : 1))
      cancelled = 0
    },
    next: () => {
      for (let event = pop(); event !== undefined; event = pop()) {
        const { at, happen } = event
        event.happen = undefined
        if (happen !== undefined) return { at, happen }
        cancelled -= 1
      }
      return undefined
    },
    size: () => heap.length - cancelled
  }
}
