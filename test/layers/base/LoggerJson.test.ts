import { describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import { expect } from "vitest"
import * as LoggerJson from "../../../src/layers/base/LoggerJson.ts"
import { KvError } from "../../../src/services/kv/Kv.ts"
import { StoreError } from "../../../src/services/store/Store.ts"

/** What is logged, each line parsed. */
const loggedBy = (work: Effect.Effect<unknown, unknown>) => {
  const lines: Array<string> = []
  const listening = Logger.make<unknown, void>((options) => void lines.push(LoggerJson.line(options)))
  return Effect.map(
    Effect.exit(Effect.provide(work, Layer.mergeAll(Logger.replace(Logger.defaultLogger, listening)))),
    () => {
      for (const line of lines) expect(line).not.toContain("\n")
      return lines.map((line) => JSON.parse(line) as Record<string, unknown>)
    }
  )
}

const kvError = new KvError({
  operation: "get",
  reason: "Unavailable",
  binding: "CACHE_KV",
  key: "~a/b",
  cause: { status: 500 }
})

describe("a line of the log", () => {
  it.effect("is one object: when, how bad, what, which request, and the cause by name", () =>
    Effect.gen(function* () {
      const failed = new StoreError({ operation: "get", reason: "Unavailable", cause: kvError })
      const [line] = yield* loggedBy(
        Effect.annotateLogs(Effect.logWarning("it\nfailed", failed), { requestId: "r1", route: "/a/{key}", key: "b" })
      )
      expect(line).toStrictEqual({
        at: expect.stringMatching(/^\d{4}-\d\d-\d\dT/),
        level: "WARN",
        message: "it\nfailed",
        requestId: "r1",
        route: "/a/{key}",
        key: "b",
        binding: "CACHE_KV",
        cause: {
          name: "StoreError",
          message: "get failed: Unavailable",
          operation: "get",
          reason: "Unavailable",
          cause: {
            name: "KvError",
            message: "KV get failed: Unavailable",
            operation: "get",
            reason: "Unavailable",
            binding: "CACHE_KV",
            key: "~a/b",
            cause: { status: 500 }
          }
        }
      })
    })
  )

  it.effect("names the key of the failed operation where no request has one", () =>
    Effect.gen(function* () {
      const [line] = yield* loggedBy(Effect.logError("failed", kvError))
      expect(line).toMatchObject({ level: "ERROR", binding: "CACHE_KV", key: "~a/b" })
    })
  )

  it.effect("tells a failure, a defect with its stack, both at once, and an interruption", () =>
    Effect.gen(function* () {
      const logCause = (work: Effect.Effect<unknown, unknown>) =>
        Effect.catchAllCause(work, (cause) => Effect.logError("failed", cause))
      const lines = yield* loggedBy(
        Effect.all([
          logCause(Effect.fail("plain")),
          logCause(Effect.fail({ code: 7n })),
          logCause(Effect.die(new TypeError("undefined is not a function"))),
          logCause(Effect.zipRight(Effect.fail(1), Effect.void).pipe(Effect.ensuring(Effect.die("finally")))),
          logCause(Effect.interrupt)
        ])
      )
      expect(lines.map(({ cause }) => cause)).toStrictEqual([
        "plain",
        { code: "7n" },
        {
          name: "TypeError",
          message: "undefined is not a function",
          stack: expect.arrayContaining([expect.stringMatching(/^at /)])
        },
        [1, "finally"],
        "interrupted"
      ])
    })
  )

  it.effect("keeps what is no error apart, and is never an empty object", () =>
    Effect.gen(function* () {
      const circular: Record<string, unknown> = {}
      circular.self = circular
      const lines = yield* loggedBy(
        Effect.all([
          Effect.logInfo("done", { swept: 3 }, new Map([["a", 1]])),
          Effect.logInfo("round", circular),
          Effect.logInfo("empty", {}),
          Effect.logInfo(new Error("alone"))
        ])
      )
      expect(lines).toMatchObject([
        { level: "INFO", message: "done", details: [{ swept: 3 }, { a: 1 }] },
        { details: { self: "[circular]" } },
        { details: "[object Object]" },
        { message: "", cause: { name: "Error", message: "alone" } }
      ])
    })
  )
})
