import type { Env } from "../../src/entry/app.ts"
import worker from "../../src/entry/worker.ts"

type Waiting = Pick<ExecutionContext, "waitUntil">

/** The Worker as an isolate with this `env`. */
export const serve = (env: Env) => (request: Request, context: Waiting) => worker.fetch(request, env, context)

export const fire = (env: Env) => (cron: string, context: Waiting) => worker.scheduled({ cron }, env, context)
