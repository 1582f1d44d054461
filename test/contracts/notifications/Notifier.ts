import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import type {
  Notification,
  Notifier,
  NotifierError,
  NotifierReason
} from "../../../src/services/notifications/Notifier.ts"

/** A notifier and its receiver, who answers one thing and remembers what came. */
export interface NotifierWorld {
  readonly notifier: Notifier["Type"]
  readonly target: string
  /** What the receiver answers from now on; undefined to take it. */
  readonly answer: (reason: Extract<NotifierReason, "Refused" | "RateLimited" | "Unavailable"> | undefined) => void
  readonly received: () => ReadonlyArray<Pick<Notification, "key" | "body">>
}

/** What every Notifier promises. */
export const notifierContract = (
  name: string,
  open: () => Promise<{ readonly world: NotifierWorld; readonly close: () => Promise<void> }>
): void => {
  const law = (title: string, body: (world: NotifierWorld) => Effect.Effect<void, NotifierError>) =>
    it(title, async () => {
      const { close, world } = await open()
      try {
        await Effect.runPromise(body(world))
      } finally {
        await close()
      }
    })

  describe(`Notifier: ${name}`, () => {
    law("the receiver gets the body and the key, byte for byte", ({ notifier, received, target }) =>
      Effect.gen(function* () {
        yield* notifier.deliver({ key: "k.1", target, body: '{"price":"1 €"}' })
        expect(received()).toStrictEqual([{ key: "k.1", body: '{"price":"1 €"}' }])
      })
    )

    for (const reason of ["Refused", "RateLimited", "Unavailable"] as const) {
      law(`${reason} is told to the caller`, ({ answer, notifier, target }) =>
        Effect.gen(function* () {
          answer(reason)
          const error = yield* Effect.flip(notifier.deliver({ key: "k", target, body: "{}" }))
          expect(error.reason).toBe(reason)
        }).pipe(Effect.orDie)
      )
    }

    law("every attempt carries the same key and body", ({ answer, notifier, received, target }) =>
      Effect.gen(function* () {
        answer("Unavailable")
        yield* Effect.ignore(notifier.deliver({ key: "k", target, body: "{}" }))
        answer(undefined)
        yield* notifier.deliver({ key: "k", target, body: "{}" })
        expect(received().length).toBeGreaterThan(1)
        expect(new Set(received().map((one) => JSON.stringify(one))).size).toBe(1)
      })
    )
  })
}
