import * as Effect from "effect/Effect"
import * as ManagedRuntime from "effect/ManagedRuntime"
import * as Runtime from "effect/Runtime"
import * as BackgroundWorker from "../layers/base/BackgroundWorker.ts"
import * as SettingsConfig from "../layers/settings/SettingsConfig.ts"
import { inWords } from "../services/settings/SettingsError.ts"
import type { Application, Running } from "./Application.ts"
import { type Env, groups, layer } from "./app.ts"
import { authenticate, parse } from "./http/authorize.ts"
import { Problem, problem, toResponse } from "./http/problem.ts"
import * as Http from "./http.ts"
import * as Scheduled from "./scheduled.ts"
import { misspelled, variablesOf } from "./variables.ts"

type Waiting = Pick<ExecutionContext, "waitUntil">

/** What an isolate answers and does, built once. */
interface Isolate {
  readonly fetch: (request: Request, context: Waiting) => Promise<Response>
  readonly scheduled: (cron: string, context: Waiting) => Promise<void>
}

export interface Options {
  /** The static asset that is the OpenAPI document, where it is not the one at `/openapi.json`. */
  readonly document?: string
}

const openApiOf = ({ ASSETS }: Env, document: string | undefined) =>
  ASSETS === undefined || document === undefined
    ? undefined
    : (request: Request) => ASSETS.fetch(new Request(new URL(document, request.url), request))

const makeIsolate = (env: Env, applications: ReadonlyArray<Application>, { document }: Options): Isolate => {
  const managed = ManagedRuntime.make(layer(env, applications))
  const run = Runtime.runSync(managed.runSync(managed.runtimeEffect))
  let started: ReadonlyArray<Running> | undefined
  const running = () => (started ??= run(Effect.forEach(applications, ({ start }) => start(env))))
  const handle = run(Http.make({ running, openApi: openApiOf(env, document) }))
  const fire = run(Scheduled.make(running))
  return {
    fetch: (request, context) => handle(request, BackgroundWorker.make(context)),
    scheduled: (cron, context) => fire(cron, BackgroundWorker.make(context))
  }
}

/** Whether the request carries a key that may operate this Worker. */
const isOperator = (env: Env, request: Request): boolean => {
  const caller = authenticate(parse(variablesOf(env).get("API_KEYS") ?? "").keys, request.headers.get("X-API-KEY"))
  return !(caller instanceof Problem) && caller.has("admin")
}

/** A Worker that cannot start answers nobody. Why stands in the log, and in the answer to a key with the scope `admin`. */
const misconfigured = (env: Env, reasons: ReadonlyArray<string>): Isolate => {
  for (const reason of reasons) Effect.runSync(Effect.logFatal(reason))
  return {
    fetch: async (request) =>
      toResponse(
        request,
        problem("misconfigured", isOperator(env, request) ? reasons.join("; ") : "see this Worker's log")
      ),
    scheduled: async () => {}
  }
}

/** What is wrong with the variables, one line each; what is only strange is logged. */
const checked = (env: Env, applications: ReadonlyArray<Application>): ReadonlyArray<string> => {
  const variables = variablesOf(env)
  const all = [...groups, ...applications.flatMap(({ settings }) => settings)]
  const known = all.flatMap(({ secrets, settings }) => [
    ...Object.values(settings).map(({ variable }) => variable),
    ...secrets
  ])
  for (const { name, nearest } of misspelled(variables.keys(), known)) {
    Effect.runSync(Effect.logWarning(`the variable ${name} is read by nothing: is ${nearest} meant?`))
  }
  return SettingsConfig.misfitsOf(all, variables).map(inWords)
}

const isolateFor = (env: Env, applications: ReadonlyArray<Application>, options: Options): Isolate => {
  const wrong = checked(env, applications)
  if (wrong.length > 0) return misconfigured(env, wrong)
  try {
    return makeIsolate(env, applications, options)
  } catch (error) {
    return misconfigured(env, [`this Worker cannot start: ${error}`])
  }
}

/**
 * A Worker of the cache and these applications. Everything is built once per isolate, where `env` is one object; an
 * application when it is first needed.
 */
export const worker = (applications: ReadonlyArray<Application>, options: Options = {}) => {
  const isolates = new WeakMap<Env, Isolate>()
  const isolateOf = (env: Env): Isolate => {
    let isolate = isolates.get(env)
    if (isolate === undefined) {
      isolate = isolateFor(env, applications, options)
      isolates.set(env, isolate)
    }
    return isolate
  }
  return {
    fetch: (request: Request, env: Env, context: Waiting) => isolateOf(env).fetch(request, context),
    scheduled: ({ cron }: Pick<ScheduledController, "cron">, env: Env, context: Waiting) =>
      isolateOf(env).scheduled(cron, context)
  } satisfies ExportedHandler<Env>
}
