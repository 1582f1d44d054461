/**
 * How long objects work, as who calls them sees it: from a call to its reply, what overlaps on one object counted once,
 * as the platform does. The ways there and back are in it, so it is an upper bound.
 */
export const makeActiveTime = () => {
  const working = new Map<string, { calls: number; readonly since: number }>()
  return {
    /** @param now milliseconds, as in `end` */
    begin: (object: string, now: number): void => {
      const open = working.get(object)
      if (open === undefined) working.set(object, { calls: 1, since: now })
      else open.calls += 1
    },
    /** Milliseconds that the object has worked when its last open call ends; 0 until then. */
    end: (object: string, now: number): number => {
      const open = working.get(object)!
      open.calls -= 1
      if (open.calls > 0) return 0
      working.delete(object)
      return Math.max(0, now - open.since)
    }
  }
}

export type ActiveTime = ReturnType<typeof makeActiveTime>
