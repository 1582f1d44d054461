import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as CheckStore from "../../programs/durable/checkStore.ts"
import * as CheckHealth from "../../programs/monitoring/checkHealth.ts"
import * as SelfTestKv from "../../programs/monitoring/selfTestKv.ts"
import { Budget } from "../../services/budget/Budget.ts"
import { Ledger, type LedgerReport, usageOf } from "../../services/ledger/Ledger.ts"
import { billOf, usageAtRest } from "../../services/ledger/model/Bill.ts"
import { AnyFigureBook } from "../../services/monitoring/FigureBook.ts"
import { ledgerIn } from "../../services/monitoring/model/LedgerFigures.ts"
import { AllBindings, type Binding, Bindings } from "../../services/settings/Bindings.ts"
import { Settings } from "../../services/settings/Settings.ts"
import { larder } from "../http/apiLarder.ts"
import * as Handlers from "../http/handlers.ts"
import { isoTime } from "../http/isoTime.ts"
import type { Problem } from "../http/problem.ts"
import { data, ledger } from "./apiData.ts"
import { known } from "./bookFigures.ts"
import { version } from "./version.ts"

const told = ({ bound, misspelled, without }: Binding): string => {
  if (bound) return "bound"
  return `missing: ${without}${misspelled === undefined ? "" : `; is ${misspelled} meant to be it?`}`
}

const dataHandlers = Handlers.group(larder.add(data), "data", (handlers) =>
  Effect.gen(function* () {
    const checkHealth = yield* CheckHealth.make
    const checkStore = yield* CheckStore.make
    const all = yield* AllBindings
    const selfTestKv = yield* SelfTestKv.make
    const bindings = yield* Bindings

    return handlers
      .handle("health", () =>
        Effect.zipWith(checkHealth, checkStore, ({ status, ...figures }, { mode, reachable }) => {
          const health = {
            status: reachable ? status : ("failed" as const),
            mode,
            store: reachable ? ("ok" as const) : ("failed" as const),
            version,
            bindings: Object.fromEntries(all.map((binding) => [binding.name, told(binding)])),
            ...figures
          }
          return reachable ? health : Response.json(health, { status: 503, headers: { "Retry-After": "10" } })
        })
      )
      .handle("bindings", () =>
        Effect.map(selfTestKv, (test) => {
          const status: Record<string, "ok" | "missing" | "failed"> = {}
          for (const [name, bound] of bindings) status[name] = bound ? "ok" : "missing"
          if (status.CACHE_KV !== "missing") status.CACHE_KV = test?.ok === false ? "failed" : "ok"
          return {
            status: Object.values(status).includes("failed") ? ("failed" as const) : ("ok" as const),
            data: {
              critical_bindings_status: status,
              kv_self_test: test === undefined ? null : { ...test, testedAt: isoTime(test.testedAt) }
            }
          }
        })
      )
  })
)

/** Whose operations a report is of. */
type Scope = "isolate" | "all"

const ledgerHandlers = Handlers.group(larder.add(ledger), "ledger", (handlers) =>
  Effect.map(Effect.all([Ledger, Budget, Settings, AnyFigureBook]), ([service, budget, settings, book]) => {
    const reportOf = (scope: Scope): Effect.Effect<LedgerReport & { readonly scope: Scope }, Problem> => {
      const own = service.report()
      const all = scope === "all" ? book() : undefined
      return all === undefined
        ? Effect.succeed({ scope: "isolate" as const, ...own })
        : Effect.map(known(all.view), ({ since, total }) => ({
            scope: "all" as const,
            ...ledgerIn(total, since, own.total)
          }))
    }
    return handlers.handle("report", ({ urlParams: { scope = "isolate" } }) =>
      Effect.zipWith(Clock.currentTimeMillis, reportOf(scope), (now, report) => {
        const allowed = budget.report(now)
        const { atRest, freePlanFirstLimit, lines, month } = billOf(usageOf(report.total), {
          atRest: usageAtRest(settings.durableMode),
          millis: Math.max(1000, now - report.since),
          requests: 0,
          plan: "paid"
        })
        return {
          ...report,
          usd: { ...report.usd, lines, atRest, month, freePlanFirstLimit },
          since: isoTime(report.since) ?? "",
          budget: allowed === undefined ? null : { ...allowed, resetsAt: isoTime(allowed.resetsAt) ?? "" }
        }
      })
    )
  })
)

export const layer = Layer.merge(dataHandlers, ledgerHandlers)
