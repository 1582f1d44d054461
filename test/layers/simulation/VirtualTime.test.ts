import { describe, expect, it } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as fc from "effect/FastCheck"
import * as Fiber from "effect/Fiber"
import * as Random from "effect/Random"
import * as VirtualTime from "../../../src/layers/simulation/VirtualTime.ts"

const succeeded = <A, E>(exit: Exit.Exit<A, E>): A =>
  Exit.getOrElse(exit, (cause) => {
    throw new Error("the effect failed", { cause })
  })

describe("VirtualTime", () => {
  it("wakes sleepers in order of their time, and of two at one moment the one that slept first", () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 20 }), { maxLength: 60 }), (delays) => {
        const time = VirtualTime.make(1000, 1)
        const woken: Array<readonly [at: number, index: number]> = []
        succeeded(
          time.run(
            Effect.forEach(
              delays,
              (delay, index) =>
                Effect.sleep(Duration.millis(delay)).pipe(
                  Effect.zipRight(Clock.currentTimeMillis),
                  Effect.map((at) => woken.push([at, index]))
                ),
              { concurrency: "unbounded", discard: true }
            )
          )
        )
        const expected = delays.map((delay, index) => [1000 + delay, index] as const)
        expect(woken).toEqual(expected.sort((a, b) => a[0] - b[0] || a[1] - b[1]))
        expect(time.now()).toBe(1000 + Math.max(0, ...delays))
      })
    )
  })

  it("passes no time of its own: a century of sleep ends where it should", () => {
    const time = VirtualTime.make(0, 1)
    const century = Duration.days(36_525)
    expect(succeeded(time.run(Effect.as(Effect.sleep(century), "awake")))).toBe("awake")
    expect(time.now()).toBe(Duration.toMillis(century))
  })

  it("lets one request overtake another that waits", () => {
    const time = VirtualTime.make(0, 1)
    const log: Array<string> = []
    const request = (name: string, arrives: number, takes: number) =>
      Effect.gen(function* () {
        yield* Effect.sleep(arrives)
        log.push(`${name} begins`)
        yield* Effect.sleep(takes)
        log.push(`${name} ends`)
      })
    succeeded(
      time.run(
        Effect.all([request("slow", 0, 100), request("quick", 10, 20), request("late", 101, 0)], {
          concurrency: "unbounded"
        })
      )
    )
    expect(log).toEqual(["slow begins", "quick begins", "quick ends", "slow ends", "late begins", "late ends"])
  })

  it("shows whole milliseconds on the clock, as Workers do, and fractions in nanoseconds", () => {
    const time = VirtualTime.make(5, 1)
    const [millis, nanos] = succeeded(
      time.run(
        Effect.zipRight(
          Effect.sleep(Duration.micros(1700n)),
          Effect.all([Clock.currentTimeMillis, Clock.currentTimeNanos])
        )
      )
    )
    expect(millis).toBe(6)
    expect(nanos).toBe(6_700_000n)
  })

  it("waits for no deadline that was met", () => {
    const time = VirtualTime.make(0, 1)
    const met = Effect.timeout(Effect.sleep(10), "1 minute")
    succeeded(time.run(Effect.forEach(Array.from({ length: 3000 }), () => met, { discard: true })))
    expect(time.now()).toBe(30_000)
  })

  it("goes on with what an earlier run left sleeping", () => {
    const time = VirtualTime.make(0, 1)
    const fiber = succeeded(time.run(Effect.forkDaemon(Effect.as(Effect.sleep("1 hour"), "done"))))
    expect(time.now()).toBe(0)
    expect(succeeded(time.run(Fiber.join(fiber)))).toBe("done")
    expect(time.now()).toBe(3_600_000)
  })

  it("dies rather than wait for what will never come", () => {
    const exit = VirtualTime.make(0, 1).run(Effect.flatMap(Deferred.make<void>(), Deferred.await))
    expect(Exit.isFailure(exit) && Cause.pretty(exit.cause)).toContain("Nothing is left to wait for")
    expect(Exit.isFailure(VirtualTime.make(0, 1).run(Effect.sleep(Duration.infinity)))).toBe(true)
  })

  it("gives failures back as they are", () => {
    expect(VirtualTime.make(0, 1).run(Effect.zipRight(Effect.sleep(1), Effect.fail("no")))).toEqual(Exit.fail("no"))
  })

  it("repeats every step for one seed, and takes others for another", () => {
    const walk = (seed: number): string => {
      const time = VirtualTime.make(0, seed)
      const log: Array<string> = []
      const walker = (name: number) =>
        Effect.gen(function* () {
          for (let step = 0; step < 20; step++) {
            yield* Effect.sleep(Duration.millis(yield* Random.nextRange(0, 10)))
            log.push(`${name}@${time.now()}`)
          }
        })
      succeeded(time.run(Effect.forEach([1, 2, 3], walker, { concurrency: "unbounded", discard: true })))
      return log.join(" ")
    }
    expect(walk(7)).toBe(walk(7))
    expect(walk(7)).not.toBe(walk(8))
  })

  it("goes on with a promise kept already, and dies waiting for a native one", () => {
    const time = VirtualTime.make(0, 1)
    expect(time.run(Effect.promise(() => VirtualTime.kept(7)))).toEqual(Exit.succeed(7))
    expect(time.run(Effect.promise(() => VirtualTime.kept(7).catch(() => 8)))).toEqual(Exit.succeed(7))
    expect(Exit.isFailure(time.run(Effect.promise(() => Promise.resolve(7))))).toBe(true)
  })
})
