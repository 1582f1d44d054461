import type * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type { TestClock } from "effect/TestClock"
import * as VirtualTime from "../../src/layers/simulation/VirtualTime.ts"

/**
 * Runs a story to its end at once, in virtual time from 0. Within it `TestClock.adjust` and `setTime` mean what they
 * always do, but take no real milliseconds, of which `TestClock` waits several at every step and every timer. Not for
 * what awaits a native promise, as compression does.
 */
export const virtually = <A, E>(story: Effect.Effect<A, E>): Effect.Effect<A, E> =>
  Effect.suspend(() =>
    VirtualTime.make(0, 1).run(Effect.clockWith((clock) => Effect.withClock(story, adjustable(clock))))
  )

const adjustable = (clock: Clock.Clock): Clock.Clock & Pick<TestClock, "adjust" | "setTime"> => {
  const adjust = (duration: Duration.DurationInput) => Effect.zipRight(clock.sleep(Duration.decode(duration)), settled)
  /** What those that wake at this moment begin at it, to the third generation. */
  const settled = Effect.repeatN(clock.sleep(Duration.zero), 2)
  return { ...clock, adjust, setTime: (time) => Effect.suspend(() => adjust(time - clock.unsafeCurrentTimeMillis())) }
}
