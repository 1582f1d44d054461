import * as Effect from "effect/Effect"
import * as ManagedRuntime from "effect/ManagedRuntime"
import * as BackgroundWorker from "../layers/base/BackgroundWorker.ts"
import { type Env, layer } from "./app.ts"
import { problem, toResponse } from "./http/problem.ts"
import * as Http from "./http.ts"
import * as Scheduled from "./scheduled.ts"

type Waiting = Pick<ExecutionContext, "waitUntil">

/** What an isolate answers and does, built once. */
interface Isolate {
  readonly fetch: (request: Request, context: Waiting) => Promise<Response>
  readonly scheduled: (cron: string, context: Waiting) => Promise<void>
}

const makeIsolate = (env: Env): Isolate => {
  const runtime = ManagedRuntime.make(layer(env))
  const handle = runtime.runSync(Http.make)
  const ring = runtime.runSync(Scheduled.make)
  return {
    fetch: (request, context) => handle(request, BackgroundWorker.make(context)),
    scheduled: (cron, context) => ring(cron, BackgroundWorker.make(context))
  }
}

/** A Worker whose variables make no sense says so to whoever deployed it, in the log, and answers nobody. */
const misconfigured = (error: unknown): Isolate => {
  Effect.runSync(Effect.logFatal("this Worker's variables are not valid", error))
  return {
    fetch: async (request) => toResponse(request, problem("misconfigured", "see this Worker's log")),
    scheduled: async () => {}
  }
}

const isolates = new WeakMap<Env, Isolate>()

const isolateOf = (env: Env): Isolate => {
  let isolate = isolates.get(env)
  if (isolate === undefined) {
    try {
      isolate = makeIsolate(env)
    } catch (error) {
      isolate = misconfigured(error)
    }
    isolates.set(env, isolate)
  }
  return isolate
}

/** The Worker's answer to a request. Everything is built once per isolate, where `env` is one object. */
export const serve = (env: Env): Isolate["fetch"] => isolateOf(env).fetch

/** What the Worker does when a cron rings. */
export const ring = (env: Env): Isolate["scheduled"] => isolateOf(env).scheduled
