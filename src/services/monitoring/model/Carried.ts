import type { Figures } from "./Figures.ts"

/**
 * What an isolate tells the first object, with a call that it makes anyway: all that it has counted since the object last
 * said that it had saved something of it. Telling it again changes nothing, so that a lost reply costs no count and none
 * is counted twice.
 */
export interface Carried {
  readonly isolate: string
  /** Counted up with everything that is told. */
  readonly sequence: number
  /** The last one that is known to be saved; the figures begin after it. */
  readonly base: number
  readonly figures: Figures
  /** Of the settings that the isolate goes by. */
  readonly settings: number
}

/** Settings that were changed at run time. */
export interface RuntimeValues {
  /** Counted up with every change; 0 before the first. */
  readonly version: number
  readonly values: { readonly [variable: string]: string }
}

export interface CarriedReply {
  /** The last sequence of this isolate that is on disk. */
  readonly saved: number
  /** Where they are others than those the isolate goes by. */
  readonly settings?: RuntimeValues
  /** Dollars of this UTC day that all isolates have told of. */
  readonly usdToday?: number
}
