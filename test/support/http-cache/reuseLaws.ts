import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/TestClock"
import { cacheWorld, type Fields } from "./cacheWorld.ts"

/** A response is stored, some seconds pass, and it is asked for again. */
export interface Law {
  readonly law: string
  readonly reply: Fields
  readonly status?: number
  readonly ask?: Fields
  readonly wait?: number
  readonly again?: Fields
  /** From the cache, from the origin without or with a condition. */
  readonly outcome: "stored" | "asked" | "validated"
}

const start = Date.UTC(2026, 10, 27)
export const at = (seconds: number): string => new Date(start + seconds * 1000).toUTCString()
export const fresh = "max-age=3600"

/** Each law is a test. */
export const testLaws = (group: string, rows: ReadonlyArray<Law>): void => {
  describe(group, () => {
    for (const { again, ask, law, reply, status, outcome, wait = 0 } of rows) {
      it.effect(`${law}: ${outcome}`, () =>
        Effect.gen(function* () {
          yield* TestClock.setTime(start)
          const world = yield* cacheWorld((_, count) => ({
            headers: reply,
            body: `${count}`,
            ...(status && { status })
          }))
          const first = yield* world.ask("/a", ask)
          assert.strictEqual(first.body, "1")
          yield* TestClock.adjust(wait * 1000)
          const second = yield* world.ask("/a", again ?? (ask?.authorization === undefined ? {} : ask))
          const asked = world.asked[1]
          const conditional = asked?.headers.has("if-none-match") || asked?.headers.has("if-modified-since")
          assert.strictEqual(asked === undefined ? "stored" : conditional === true ? "validated" : "asked", outcome)
          assert.strictEqual(second.body, outcome === "stored" ? "1" : "2")
          assert.strictEqual(second.status, status ?? 200)
        })
      )
    }
  })
}
