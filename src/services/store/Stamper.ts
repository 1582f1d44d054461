import * as Context from "effect/Context"
import type { Stamp } from "./model/Entry.ts"

/** Gives out the stamps of one writer, each above the one before, whatever the clock does. */
export class Stamper extends Context.Tag("larder/Stamper")<
  Stamper,
  {
    /** @param now milliseconds since the epoch */
    readonly next: (now: number) => Stamp
  }
>() {}

/** A hybrid logical clock: the wall clock while it advances, a counter while it does not. `writer` is asked once, late. */
export const make = (writer: () => string): Context.Tag.Service<Stamper> => {
  let name: string | undefined
  let wall = 0
  let counter = 0
  return {
    next: (now) => {
      name ??= writer()
      if (now > wall) {
        wall = now
        counter = 0
      } else counter += 1
      return { wall, counter, writer: name }
    }
  }
}
