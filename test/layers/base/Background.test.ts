import { expect, it } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as HashMap from "effect/HashMap"
import * as Logger from "effect/Logger"
import * as BackgroundInline from "../../../src/layers/base/BackgroundInline.ts"
import * as BackgroundWorker from "../../../src/layers/base/BackgroundWorker.ts"
import { Background } from "../../../src/services/base/Background.ts"

class Greeting extends Context.Tag("Greeting")<Greeting, string>() {}

/** An event whose response may go out while `waitUntil` keeps it alive until `settled`. */
const event = () => {
  const kept: Array<Promise<unknown>> = []
  return {
    context: { waitUntil: (promise: Promise<unknown>) => void kept.push(promise) },
    kept,
    settled: Effect.promise(() => Promise.all(kept))
  }
}

const recordingLogs = (logged: Array<string>) =>
  Logger.replace(
    Logger.defaultLogger,
    Logger.make(({ annotations, logLevel }) => {
      logged.push([logLevel.label, ...HashMap.values(annotations)].join(" "))
    })
  )

it.effect("the caller goes on before the work is done; waitUntil keeps it, with the caller's services", () =>
  Effect.gen(function* () {
    const { context, kept, settled } = event()
    let release: () => void = () => undefined
    const gate = new Promise<void>((resolve) => {
      release = resolve
    })
    const done: Array<string> = []
    const work = Effect.gen(function* () {
      yield* Effect.promise(() => gate)
      done.push(yield* Greeting)
    })
    yield* Effect.flatMap(Background, (background) => background.run(work)).pipe(
      Effect.provideService(Greeting, "hello"),
      Effect.provide(BackgroundWorker.layer(context))
    )
    expect([kept.length, done]).toEqual([1, []])
    release()
    yield* settled
    expect(done).toEqual(["hello"])
  })
)

const failures: ReadonlyArray<readonly [string, Effect.Effect<unknown, string>, ReadonlyArray<string>]> = [
  ["a failure is a warning", Effect.fail("no"), ["WARN job"]],
  ["a defect is an error", Effect.die("bug"), ["ERROR job"]],
  ["an interruption is nothing", Effect.interrupt, []],
  ["a success is nothing", Effect.succeed(1), []]
]

it.effect.each(failures)("in the log %s, and the caller never sees it", ([, work, expected]) =>
  Effect.gen(function* () {
    const { context, settled } = event()
    const inWorker: Array<string> = []
    const inline: Array<string> = []
    yield* BackgroundWorker.make(context)
      .run(work)
      .pipe(Effect.annotateLogs("in", "job"), Effect.provide(recordingLogs(inWorker)))
    yield* settled
    yield* BackgroundInline.make.run(work).pipe(Effect.annotateLogs("in", "job"), Effect.provide(recordingLogs(inline)))
    expect(inWorker).toEqual(expected)
    expect(inline).toEqual(expected)
  })
)

it.effect("a promise is kept until it settles, and its rejection stays its owner's", () =>
  Effect.gen(function* () {
    const { context, kept, settled } = event()
    const rejected = Promise.reject(new Error("no"))
    rejected.catch(() => undefined)
    BackgroundWorker.make(context).promise(rejected)
    BackgroundWorker.make(context).promise(Promise.resolve(1))
    expect(kept.length).toBe(2)
    yield* settled
  })
)

it.effect("inline, the work is done when the caller goes on", () =>
  Effect.gen(function* () {
    const done: Array<number> = []
    const work = Effect.zipRight(
      Effect.promise(() => Promise.resolve()),
      Effect.sync(() => done.push(1))
    )
    yield* Effect.flatMap(Background, (background) => background.run(work)).pipe(Effect.provide(BackgroundInline.layer))
    expect(done).toEqual([1])
  })
)
