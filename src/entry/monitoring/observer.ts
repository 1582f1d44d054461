import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Layer from "effect/Layer"
import * as Runtime from "effect/Runtime"
import * as LoggerJson from "../../layers/base/LoggerJson.ts"
import * as FigureBookBinding from "../../layers/durable/FigureBookBinding.ts"
import * as RuntimeSettingsBinding from "../../layers/durable/RuntimeSettingsBinding.ts"
import * as FigureBookIsolate from "../../layers/monitoring/FigureBookIsolate.ts"
import * as RuntimeSettingsKv from "../../layers/monitoring/RuntimeSettingsKv.ts"
import * as SettingsConfig from "../../layers/settings/SettingsConfig.ts"
import * as EdgeCacheBinding from "../../layers/tiers/EdgeCacheBinding.ts"
import * as EdgeCacheMetered from "../../layers/tiers/EdgeCacheMetered.ts"
import { flushBuffered } from "../../programs/batching/flushBuffered.ts"
import { Batcher } from "../../services/batching/Batcher.ts"
import { BudgetLimit, type BudgetService } from "../../services/budget/Budget.ts"
import type { Kv } from "../../services/kv/Kv.ts"
import { Ledger, type LedgerTotals } from "../../services/ledger/Ledger.ts"
import { ApplicationAdvice } from "../../services/monitoring/ApplicationAdvice.ts"
import { AnyFigureBook, type FigureBook } from "../../services/monitoring/FigureBook.ts"
import { Monitor } from "../../services/monitoring/Monitor.ts"
import { type MonitorValues, monitorSettings } from "../../services/monitoring/MonitorSettings.ts"
import { noFigures, since } from "../../services/monitoring/model/Figures.ts"
import { capped, refuses } from "../../services/monitoring/model/SpendCap.ts"
import { DeclaredSettings } from "../../services/settings/DeclaredSettings.ts"
import { valuesOf } from "../../services/settings/model/RuntimeState.ts"
import { RuntimeSettings } from "../../services/settings/RuntimeSettings.ts"
import { Settings } from "../../services/settings/Settings.ts"
import type { Application, StoreServices } from "../Application.ts"
import { problem, secondsToMidnight, toResponse } from "../http/problem.ts"
import type { Observer } from "../isolates.ts"
import { objectsOf } from "../objectBindings.ts"
import { variablesOf } from "../variables.ts"
import * as Lately from "./lately.ts"
import { watchServices } from "./monitorSources.ts"
import * as Spans from "./spans.ts"
import { version } from "./version.ts"
import { make, Watching } from "./watch.ts"

const log = Runtime.runSync(LoggerJson.runtime)

type Books = Layer.Layer<FigureBook | RuntimeSettings, never, Ledger | Kv>

/** In durable mode the first object keeps figures and settings; else KV the settings, and each isolate its own figures. */
export const books = (env: object): Layer.Layer<FigureBook | RuntimeSettings, never, Ledger | Kv | Settings> =>
  Layer.unwrapEffect(
    Effect.map(Effect.all([Settings, Watching]), ([{ durableMode, edgeHost }, { learn }]): Books => {
      const objects = durableMode ? objectsOf(env) : undefined
      return objects === undefined
        ? Layer.merge(
            FigureBookIsolate.layer,
            RuntimeSettingsKv.layer((state) => learn(valuesOf(state))).pipe(
              Layer.provide(EdgeCacheMetered.layer),
              Layer.provide(EdgeCacheBinding.layer(edgeHost))
            )
          )
        : Layer.merge(
            FigureBookBinding.layer(objects.CACHE_DO),
            RuntimeSettingsBinding.layer(objects.CACHE_DO, (state) => learn(valuesOf(state)))
          )
    })
  )

const adviceOf = (applications: ReadonlyArray<Application>) =>
  Effect.promise(() =>
    Promise.all(
      applications.flatMap(({ recommendations }) => (recommendations === undefined ? [] : [recommendations()]))
    )
  )

/** How often the settings in force are asked for, where no other call tells them. */
const learnMillis = 60_000

/** Between two exports of an isolate. */
const exportMillis = 60_000

/** What is answered whatever the cap says: how the Worker is, and what it takes to change that. */
const isOperation = (url: string): boolean =>
  !/^[^/]*\/\/[^/]*\/api\/v1\/(?!(?:monitor|config|admin|data|ledger)\b)/.test(url)

const limitReached = ({ killSwitch, spendCapUsd }: MonitorValues, now: number) =>
  killSwitch
    ? problem("unavailable", "KILL_SWITCH is on: this Worker answers monitoring, settings and operations only", {
        retryAfter: 60
      })
    : problem("daily-limit", `the cap of the day, $${spendCapUsd}, is reached`, { retryAfter: secondsToMidnight(now) })

/** Counts what the isolates of a Worker do, and lets their settings be changed while they run. */
export const observer: Observer = () => {
  const spans = Spans.make()
  const { ended, hit, lately } = Lately.make()
  const watch = make({
    lately,
    hit,
    ended: (request, response, millis, problem) => {
      const now = Date.now()
      ended(request, response, millis, now, problem)
      spans.ended(request, response, millis, now)
    }
  })
  let book: FigureBook["Type"] | undefined
  const isolate = { name: undefined as string | undefined, exported: noFigures, exportedAt: 0 }

  /** What was counted since it was exported last. Nothing runs between requests: each of them may be due to do it. */
  const exported = async (env: object, endpoint: string, shape: LedgerTotals, now: number): Promise<void> => {
    const figures = watch.monitor.figures(now)
    isolate.name ??= crypto.randomUUID()
    const batch = {
      isolate: isolate.name,
      version,
      from: isolate.exportedAt,
      until: now,
      figures: since(isolate.exported, figures),
      spans: spans.take()
    }
    isolate.exported = figures
    isolate.exportedAt = now
    const { send } = await import("./exporter.ts")
    await Effect.runPromise(send(env, endpoint, shape, batch))
  }

  return {
    version: () => watch.settings().version,
    // Another deployment may have made wrong what was set under the one before.
    env: (deployed, wrong) => {
      const { values } = watch.settings()
      if (Object.keys(values).length === 0) return deployed
      const changed = { ...deployed, ...values }
      const reasons = wrong(changed)
      for (const reason of reasons) log(Effect.logError(`set at run time, and left out: ${reason}`))
      return reasons.length === 0 ? changed : deployed
    },
    layer: (groups, deployed, applications) =>
      Layer.mergeAll(
        Layer.succeed(ApplicationAdvice, adviceOf(applications)),
        Layer.succeed(Monitor, watch.monitor),
        Layer.succeed(Watching, watch),
        Layer.succeed(AnyFigureBook, () => book),
        Layer.succeed(BudgetLimit, (budget: BudgetService) =>
          capped(budget, (now) => watch.cap(now)?.state ?? "normal")
        ),
        Layer.succeed(DeclaredSettings, { groups, deployed: variablesOf(deployed) })
      ),
    start: (env) =>
      Effect.gen(function* () {
        const stop = yield* watchServices
        const runtime = yield* Effect.runtime<StoreServices>()
        const batcher = yield* Batcher
        const { durableMode } = yield* Settings
        const ledger = yield* Ledger
        const objects = durableMode ? objectsOf(env) : undefined
        book = objects === undefined ? undefined : FigureBookBinding.make(objects.CACHE_DO, ledger, watch.monitor)
        const learn =
          objects === undefined
            ? Effect.ignoreLogged((yield* Effect.provide(RuntimeSettings, books(env))).read)
            : FigureBookBinding.tell(objects.CACHE_DO, ledger, watch.monitor)
        const calls = () => (objects === undefined ? 1 : ledger.report().total.durableObject.requests)
        const monitoring = Either.getOrThrow(
          SettingsConfig.read(monitorSettings.settings, variablesOf(env))
        ) as MonitorValues
        const { killSwitch, otlpEndpoint, otlpTraceShare, spendCapShare, spendCapUsd } = monitoring
        const isExported = otlpEndpoint !== "none" || "METRICS" in env
        const shape = ledger.report().total
        spans.trace(otlpEndpoint === "none" ? 0 : otlpTraceShare)
        const isLimited = killSwitch || spendCapUsd > 0
        const usd = objects === undefined ? spendCapUsd * spendCapShare : spendCapUsd
        watch.setCap(usd === 0 ? undefined : { usd, own: ledger.spent })
        let learnedAt = Number.NEGATIVE_INFINITY
        let called = 0
        return {
          asked: (request, context) => {
            const now = Date.now()
            if (isLimited && !isOperation(request.url) && refuses(watch.cap(now)?.state ?? "normal", monitoring)) {
              return toResponse(request, limitReached(monitoring, now))
            }
            if (isExported) {
              if (isolate.exportedAt === 0) isolate.exportedAt = now
              if (now - isolate.exportedAt >= exportMillis) context.waitUntil(exported(env, otlpEndpoint, shape, now))
            }
            if (now - learnedAt < learnMillis) return undefined
            learnedAt = now
            // Who calls no object has nothing to tell one.
            if (calls() === called && objects !== undefined) return undefined
            context.waitUntil(
              Runtime.runPromise(runtime)(learn).then(() => {
                called = calls()
              })
            )
            return undefined
          },
          // What is buffered is written first: it lies in the memory of the services that go.
          retire: (context) => {
            if ([...batcher.stats().byCollection.values()].some(({ buffered }) => buffered > 0)) {
              context.waitUntil(Runtime.runPromise(runtime)(Effect.ignoreLogged(flushBuffered)))
              return false
            }
            stop()
            return true
          }
        }
      })
  }
}
