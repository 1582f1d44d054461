import type * as HttpApi from "@effect/platform/HttpApi"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Scope from "effect/Scope"
import * as SettingsConfig from "../layers/settings/SettingsConfig.ts"
import type { KeyAlias } from "../services/aliasing/KeyAlias.ts"
import type { DurableCache } from "../services/durable/DurableCache.ts"
import type { Kv } from "../services/kv/Kv.ts"
import type { Ledger } from "../services/ledger/Ledger.ts"
import type { Advise } from "../services/monitoring/model/Recommendation.ts"
import type { Notifier } from "../services/notifications/Notifier.ts"
import type { Repository } from "../services/repository/Repository.ts"
import type { IdentifierOf, SettingsGroup } from "../services/settings/model/Setting.ts"
import type { Settings } from "../services/settings/Settings.ts"
import type { SettingsError } from "../services/settings/SettingsError.ts"
import type { Collection } from "../services/store/model/Collection.ts"
import type { Store } from "../services/store/Store.ts"
import type { MemoryTier } from "../services/tiers/MemoryTier.ts"
import type { ReadPath } from "../services/tiers/ReadPath.ts"
import { variablesOf } from "./variables.ts"

/** What the cache offers to every application. `Background`, `Session`, `Budget` and `Batcher` are there, too. */
export type CoreServices = StoreServices | Repository | Notifier

/** The part of it that reading and writing entries takes: there from an isolate's first request on. */
export type StoreServices = Store | Settings | Ledger | ReadPath | MemoryTier | DurableCache | KeyAlias | Kv

/** What runs when a cron trigger fires. */
export interface Job<R = never> {
  /** The cron expression, as it stands in wrangler.toml. */
  readonly cron: string
  /** For the log. */
  readonly name: string
  /** A job that fails is logged; its next cron trigger tries again. */
  readonly run: Effect.Effect<unknown, unknown, R>
  /** Runs after the jobs of all applications for the same cron trigger. */
  readonly last?: true
}

/** The HTTP routes of an application. */
export interface Routes<R = never> {
  /** `larder.add(group)…`, see http/apiLarder.ts. */
  readonly api: HttpApi.HttpApi.Any
  /** `Handlers.group(…)` of every group, merged. */
  readonly handlers: Layer.Layer<never, never, R>
}

type OrPromise<A> = A | Promise<A>

/** What one application is made of. Whatever it does not need, it leaves out. */
export interface Parts<G extends SettingsGroup, S, F> {
  readonly name: string
  /** Its settings, by room. */
  readonly settings?: ReadonlyArray<G>
  /** Its collections: they always exist, and `COLLECTIONS` may change their policies. */
  readonly collections?: ReadonlyArray<Collection>
  /** Bindings that it reads, each with what its absence means. */
  readonly bindings?: Readonly<Record<string, string>>
  /** Beginnings of the paths of its routes, in whole segments; {@link serving} says which application has which path. */
  readonly under?: ReadonlyArray<string>
  /** Loaded with the first request below one of these. */
  readonly routes?: () => Promise<Routes<CoreServices | IdentifierOf<G> | S | F>>
  readonly jobs?: ReadonlyArray<Job<CoreServices | IdentifierOf<G> | S | F>>
  /** What it recommends beside the cache's own recommendations; loaded when they are asked for. */
  readonly recommendations?: () => Promise<Advise>
  /**
   * A store in front of the cache's, which answers for collections of its own, and the services that this takes: built in
   * an isolate's first request, synchronously, without I/O.
   */
  readonly front?: Layer.Layer<Store | F, never, Store | Settings | Ledger | IdentifierOf<G>>
  /**
   * Its services, from the bindings and what the cache offers: built once per isolate, synchronously, without I/O. Like
   * the routes, and what the jobs run, behind `import()`, which evaluates it when something asks for it first.
   */
  readonly layer?: (env: object) => OrPromise<Layer.Layer<S, never, CoreServices | IdentifierOf<G> | F>>
}

/** What has the paths below some beginnings. */
interface Serving {
  readonly under: ReadonlyArray<string>
}

const isUnder = (beginning: string, path: string): boolean => path === beginning || path.startsWith(`${beginning}/`)

/** The one of them with the longest beginning of a path; the first where nobody has it, which answers that it is none. */
export const serving = <A extends Serving>(among: ReadonlyArray<A>, path: string): A | undefined => {
  let [found] = among
  let longest = -1
  for (const one of among) {
    for (const beginning of one.under) {
      if (beginning.length > longest && isUnder(beginning, path)) [found, longest] = [one, beginning.length]
    }
  }
  return found
}

/** An application in an isolate. */
export interface Running extends Serving {
  readonly routes: (() => Promise<Routes>) | undefined
  readonly jobs: ReadonlyArray<Job>
}

/** An application as the Worker is composed of it: worker.ts lists them. */
export interface Application extends Serving {
  readonly name: string
  readonly settings: ReadonlyArray<SettingsGroup>
  readonly collections: ReadonlyArray<Collection>
  readonly bindings: Readonly<Record<string, string>>
  /** The cron expressions that wrangler.toml has to name. */
  readonly crons: ReadonlyArray<string>
  readonly recommendations: (() => Promise<Advise>) | undefined
  readonly front: ((env: object) => Layer.Layer<Store, SettingsError, Store | Settings | Ledger>) | undefined
  readonly start: (env: object) => Effect.Effect<Running, SettingsError, CoreServices>
}

export const make = <G extends SettingsGroup = never, S = never, F = never>(parts: Parts<G, S, F>): Application => {
  const { bindings = {}, collections = [], front, jobs = [], name, routes, settings = [], under = [] } = parts
  return {
    name,
    under,
    settings,
    collections,
    bindings,
    recommendations: parts.recommendations,
    crons: [...new Set(jobs.map(({ cron }) => cron))],
    front:
      front &&
      ((env) => Layer.provide(front, Layer.effectContext(SettingsConfig.contextOf(settings, variablesOf(env))))),
    start: (env) =>
      Effect.gen(function* () {
        const own = Context.merge(
          // What its front gives was built with the cache.
          (yield* Effect.context<CoreServices>()) as Context.Context<CoreServices | F>,
          yield* SettingsConfig.contextOf(settings, variablesOf(env))
        )
        const found = parts.layer?.(env) ?? Layer.empty
        const layer = found instanceof Promise ? yield* Effect.promise(() => found) : found
        const built = yield* Effect.provide(Layer.buildWithScope(layer, yield* Scope.make()), own)
        const context = Context.merge(own, built) as Context.Context<CoreServices | IdentifierOf<G> | S | F>
        return {
          under,
          routes:
            routes &&
            (async () => {
              const { api, handlers } = await routes()
              return { api, handlers: Layer.provide(handlers, Layer.succeedContext(context)) }
            }),
          jobs: jobs.map((job) => ({ ...job, run: Effect.provide(job.run, context) }))
        }
      })
  }
}
