import { dayOf } from "../../base/model/UtcDay.ts"

/**
 * Dollars of a UTC day, of all isolates as far as they are known here: what the first object last said, and what this
 * isolate has spent since it told that object.
 */
export interface SpentToday {
  /** @param own dollars of this isolate since it began */
  readonly spent: (own: number, now: number) => number
  /** Dollars that were spent here since they were told. */
  readonly untold: (own: number, now: number) => number
  readonly told: (own: number, now: number) => void
  /** What all have spent of the day, those that were just told included. */
  readonly learned: (all: number, now: number) => void
}

export const makeSpentToday = (): SpentToday => {
  let day = Number.NaN
  let known = 0
  let toldAt = 0
  /** What had been told with the message that was answered last. */
  let counted = 0
  const turn = (own: number, now: number): void => {
    const today = dayOf(now)
    if (today === day) return
    counted = Number.isNaN(day) ? 0 : own
    toldAt = counted
    known = 0
    day = today
  }
  return {
    spent: (own, now) => {
      turn(own, now)
      return known + own - counted
    },
    untold: (own, now) => {
      turn(own, now)
      return own - toldAt
    },
    told: (own, now) => {
      turn(own, now)
      toldAt = own
    },
    learned: (all, now) => {
      if (dayOf(now) !== day) return
      // What is told and not yet answered is counted twice rather than not at all.
      known = Math.max(all, known)
      counted = toldAt
    }
  }
}
