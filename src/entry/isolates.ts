import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Layer from "effect/Layer"
import * as ManagedRuntime from "effect/ManagedRuntime"
import * as Runtime from "effect/Runtime"
import * as Scope from "effect/Scope"
import * as BackgroundWorker from "../layers/base/BackgroundWorker.ts"
import * as LoggerJson from "../layers/base/LoggerJson.ts"
import * as SettingsConfig from "../layers/settings/SettingsConfig.ts"
import { Background } from "../services/base/Background.ts"
import { Ledger } from "../services/ledger/Ledger.ts"
import type { SettingsGroup } from "../services/settings/model/Setting.ts"
import { Settings } from "../services/settings/Settings.ts"
import { inWords } from "../services/settings/SettingsError.ts"
import { Store, StoreError } from "../services/store/Store.ts"
import { type Application, type Running, type StoreServices, serving } from "./Application.ts"
import { type Env, groups, layer } from "./app.ts"
import { allows, authenticate, parse } from "./http/authorize.ts"
import { Problem, problem, toResponse } from "./http/problem.ts"
import * as Http from "./http.ts"
import { type StoreRpc, storeRpc } from "./rpc/storeRpc.ts"
import * as Scheduled from "./scheduled.ts"
import { misspelled, variablesOf } from "./variables.ts"

/** What is said before there are services. */
const log = Runtime.runSync(LoggerJson.runtime)

type Waiting = Pick<ExecutionContext, "waitUntil">

/** What an isolate answers and does, built once for the settings in force. */
interface Isolate {
  readonly fetch: (request: Request, context: Waiting) => Promise<Response>
  readonly scheduled: (cron: string, context: Waiting) => Promise<void>
  /** Its store, for who is bound to it. */
  readonly rpc: (context: Waiting) => StoreRpc
  /** Whether another may take its place; where it has writes to flush first, it begins to. */
  readonly retire: (context: Waiting) => boolean
}

/** What counts in one isolate, and knows the settings that it is to go by; both outlive a change of these. */
export interface Observed {
  /** Of the settings; counted up with every change from 0, for those that were deployed. */
  readonly version: () => number
  /** The environment under these settings. @param wrong what is wrong with the variables of one, if anything */
  readonly env: (deployed: Env, wrong: (env: Env) => ReadonlyArray<string>) => Env
  /** What every service sees. */
  readonly layer: (
    groups: ReadonlyArray<SettingsGroup>,
    deployed: Env,
    applications: ReadonlyArray<Application>
  ) => Layer.Layer<never>
  /** `asked`: told of every request; it may refuse one. */
  readonly start: (env: Env) => Effect.Effect<
    {
      readonly retire: Isolate["retire"]
      readonly asked: ((request: Request, context: Waiting) => Response | undefined) | undefined
    },
    never,
    StoreServices
  >
}

/** See monitoring/observer.ts. */
export type Observer = () => Observed

export interface Options {
  /** The static asset that is the OpenAPI document, where it is not the one at `/openapi.json`. */
  readonly document?: string
  /** Without it nothing is counted but by the ledger, and settings change with a deployment only. */
  readonly observer?: Observer
}

const apiKeysOf = (env: Env): string => variablesOf(env).get("API_KEYS") ?? ""

const openApiOf = ({ ASSETS }: Env, document: string | undefined) =>
  ASSETS === undefined || document === undefined
    ? undefined
    : (request: Request) => ASSETS.fetch(new Request(new URL(document, request.url), request))

const makeIsolate = (
  env: Env,
  applications: ReadonlyArray<Application>,
  { document }: Options,
  observed: Observed | undefined,
  beneath: Layer.Layer<never> | undefined
): Isolate => {
  const managed = ManagedRuntime.make(layer(env, applications, beneath))
  const runtime = managed.runSync(managed.runtimeEffect)
  const run = Runtime.runSync(runtime)
  const { asked, retire } = observed === undefined ? unobserved : run(observed.start(env))
  type Offered = Layer.Layer.Success<ReturnType<typeof import("./offered.ts").layer>>
  let offered: Context.Context<Offered> | undefined
  /** What applications are offered. No request waits for another's: the first builds it, the others find it built. */
  const offer = async (): Promise<Context.Context<Offered>> => {
    if (offered !== undefined) return offered
    const { layer } = await import("./offered.ts")
    const built = await Runtime.runPromise(runtime)(
      Effect.flatMap(Scope.make(), (scope) => Layer.buildWithScope(layer(env), scope))
    )
    offered ??= built
    return offered
  }
  const started = new Map<Application, Running>()
  const start = async (application: Application): Promise<Running> => {
    const own = await Runtime.runPromise(runtime)(Effect.provide(application.start(env), await offer()))
    const running = started.get(application) ?? own
    started.set(application, running)
    return running
  }
  const runningOf = (application: Application) => started.get(application) ?? start(application)
  /** All of them, for their jobs. */
  const running = async (): Promise<ReadonlyArray<Running>> => {
    const all: Array<Running> = []
    for (const application of applications) all.push(await runningOf(application))
    return all
  }
  const handle = run(
    Http.make({
      running: (path) => runningOf(serving(applications, path)!),
      apiKeys: apiKeysOf(env),
      openApi: openApiOf(env, document)
    })
  )
  const fire = run(Scheduled.make(running))
  const [store, settings, ledger] = run(Effect.all([Store, Settings, Ledger]))
  const ask = Runtime.runPromise(runtime)
  return {
    fetch: (request, context) => handle(request, BackgroundWorker.make(context), asked?.(request, context)),
    scheduled: (cron, context) => fire(cron, BackgroundWorker.make(context)),
    rpc: (context) => {
      const background = BackgroundWorker.make(context)
      return storeRpc(store, settings, ledger, (work) =>
        ask(Effect.either(Effect.provideService(work, Background, background))).then(Either.getOrThrowWith(rejection))
      )
    },
    retire
  }
}

/** What an RPC rejects with: an error's message is all that arrives of it. */
const rejection = (error: Error): Error =>
  new Error(error instanceof StoreError ? `${error.reason}: ${error.message}` : error.message)

const unobserved = { asked: undefined, retire: () => true }

/** Whether the request carries a key that may operate this Worker. */
const isOperator = (env: Env, request: Request): boolean => {
  const caller = authenticate(parse(apiKeysOf(env)).keys, request.headers.get("X-API-KEY"))
  return !(caller instanceof Problem) && allows(caller, "admin")
}

/** A Worker that cannot start answers nobody. Why stands in the log, and in the answer to a key with the scope `admin`. */
const misconfigured = (env: Env, reasons: ReadonlyArray<string>): Isolate => {
  for (const reason of reasons) log(Effect.logFatal(reason))
  return {
    fetch: async (request) =>
      toResponse(
        request,
        problem("misconfigured", isOperator(env, request) ? reasons.join("; ") : "see this Worker's log")
      ),
    scheduled: async () => {},
    rpc: () => {
      throw new Error("misconfigured: see this Worker's log")
    },
    retire: () => true
  }
}

const groupsOf = (applications: ReadonlyArray<Application>): ReadonlyArray<SettingsGroup> => [
  ...groups,
  ...applications.flatMap(({ settings }) => settings)
]

/** What is wrong with the variables, one line each; what is only strange is logged. */
const checked = (env: Env, applications: ReadonlyArray<Application>): ReadonlyArray<string> => {
  const variables = variablesOf(env)
  const all = groupsOf(applications)
  const known = all.flatMap(({ secrets, settings }) => [
    ...Object.values(settings).map(({ variable }) => variable),
    ...secrets
  ])
  for (const { name, nearest } of misspelled(variables.keys(), known)) {
    log(Effect.logWarning(`the variable ${name} is read by nothing: is ${nearest} meant?`))
  }
  return SettingsConfig.misfitsOf(all, variables).map(inWords)
}

const isolateFor = (
  deployed: Env,
  applications: ReadonlyArray<Application>,
  options: Options,
  observed: Observed | undefined
): Isolate => {
  const env = observed?.env(deployed, (env) => checked(env, applications)) ?? deployed
  const wrong = checked(env, applications)
  if (wrong.length > 0) return misconfigured(env, wrong)
  try {
    return makeIsolate(
      env,
      applications,
      options,
      observed,
      observed?.layer(groupsOf(applications), deployed, applications)
    )
  } catch (error) {
    return misconfigured(env, [`this Worker cannot start: ${error}`])
  }
}

/**
 * A Worker of the cache and these applications. Everything is built once per isolate, where `env` is one object; an
 * application when it is first needed; and anew when settings were changed at run time.
 */
export const make = (applications: ReadonlyArray<Application>, options: Options = {}) => {
  const isolates = new WeakMap<Env, { isolate: Isolate; version: number; readonly observed: Observed | undefined }>()
  const isolateOf = (env: Env, context: Waiting): Isolate => {
    let kept = isolates.get(env)
    if (kept === undefined) {
      const observed = options.observer?.()
      kept = { isolate: isolateFor(env, applications, options, observed), version: 0, observed }
      isolates.set(env, kept)
    }
    const version = kept.observed?.version() ?? 0
    if (version !== kept.version && kept.isolate.retire(context)) {
      kept.version = version
      kept.isolate = isolateFor(env, applications, options, kept.observed)
    }
    return kept.isolate
  }
  const handler = {
    fetch: (request: Request, env: Env, context: Waiting) => isolateOf(env, context).fetch(request, context),
    scheduled: ({ cron }: Pick<ScheduledController, "cron">, env: Env, context: Waiting) =>
      isolateOf(env, context).scheduled(cron, context)
  } satisfies ExportedHandler<Env>
  return { handler, rpc: (env: Env, context: Waiting) => isolateOf(env, context).rpc(context) }
}

/** The handlers alone. */
export const worker = (...made: Parameters<typeof make>) => make(...made).handler
