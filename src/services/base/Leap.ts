import * as Context from "effect/Context"

/**
 * Sets a simulated clock to a moment, in milliseconds since the epoch, where nothing else is to happen up to then, and
 * says whether it did. A sleep until then does the same at the cost of a timer and of suspending a fiber. Real time
 * never leaps.
 */
export class Leap extends Context.Reference<Leap>()("larder/Leap", {
  defaultValue: (): ((to: number) => boolean) => () => false
}) {}
