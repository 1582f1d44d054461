import { readFileSync } from "node:fs"
import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as TestClock from "effect/TestClock"
import * as Scheduled from "../../../src/entry/scheduled.ts"
import * as KeyAliasOff from "../../../src/layers/aliasing/KeyAliasOff.ts"
import * as BackgroundInline from "../../../src/layers/base/BackgroundInline.ts"
import * as DurableCacheOff from "../../../src/layers/durable/DurableCacheOff.ts"
import * as StaticDataBundled from "../../../src/layers/static-data/StaticDataBundled.ts"
import { readReport } from "../../../src/programs/market/readReport.ts"
import { Background } from "../../../src/services/base/Background.ts"
import * as Desk from "../../support/desk/desk.ts"
import { kvMode } from "../../support/worlds.ts"

/** The crons that wrangler.toml fires. */
const crons = [
  .../^crons = \[([^\]]*)\]/m
    .exec(readFileSync("wrangler.toml", "utf8"))![1]!
    .replace(/#.*$/gm, "")
    .matchAll(/"([^"]+)"/g)
].map(([, cron]) => cron!)

it.effect("every cron of wrangler.toml is known, and that of the report publishes it", () => {
  const logged: Array<string> = []
  const listening = Logger.replace(
    Logger.defaultLogger,
    Logger.make(({ logLevel, message }) => logged.push(`${logLevel.label} ${String(message)}`))
  )
  return Effect.gen(function* () {
    yield* TestClock.setTime(Date.UTC(2026, 5, 10, 20, 15))
    const background = yield* Background
    const running = yield* Desk.running()
    const fire = yield* Scheduled.make(() => running)
    for (const cron of crons) yield* Effect.promise(() => fire(cron, background))
    assert.deepStrictEqual(
      logged.filter((line) => /is unknown here|publishDailyReport failed/.test(line)),
      []
    )
    assert.strictEqual((yield* readReport("2026-06-10"))._tag, "Some")
  }).pipe(
    Effect.provide(BackgroundInline.layer),
    Effect.provide(
      Layer.merge(Desk.layer(), KeyAliasOff.layer).pipe(
        Layer.provideMerge(StaticDataBundled.layerOf()),
        Layer.provideMerge(DurableCacheOff.layer),
        Layer.provideMerge(kvMode()),
        Layer.provideMerge(listening)
      )
    )
  )
})
