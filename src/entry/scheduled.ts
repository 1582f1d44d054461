import * as Effect from "effect/Effect"
import * as Runtime from "effect/Runtime"
import * as RetryPolicyCron from "../layers/kv/RetryPolicyCron.ts"
import { Background, type BackgroundService } from "../services/base/Background.ts"
import { Session } from "../services/base/Session.ts"
import { RetryPolicy } from "../services/kv/RetryPolicy.ts"
import { Monitor } from "../services/monitoring/Monitor.ts"
import type { Job, Running } from "./Application.ts"

/** What a cron trigger starts: the jobs of the applications in their order, then those that come last. */
const dueAt = (cron: string, running: ReadonlyArray<Running>): ReadonlyArray<Job> => {
  const due = running.flatMap(({ jobs }) => jobs.filter((job) => job.cron === cron))
  return [...due.filter(({ last }) => !last), ...due.filter(({ last }) => last)]
}

/**
 * Runs what belongs to a cron trigger, in order; a job that fails does not keep the next one from running. Failures are
 * logged: Cloudflare does not fire a trigger again before its next time.
 */
export const make = (
  running: () => ReadonlyArray<Running> | Promise<ReadonlyArray<Running>>
): Effect.Effect<(cron: string, background: BackgroundService) => Promise<void>> =>
  Effect.map(Effect.all([Effect.runtime<never>(), Monitor]), ([runtime, monitor]) => async (cron, background) => {
    const due = dueAt(cron, await running())
    const work =
      due.length === 0
        ? Effect.logWarning(`the cron "${cron}" of wrangler.toml is unknown here: nothing is done`)
        : Effect.forEach(
            due,
            ({ name, run }) =>
              Effect.annotateLogs(
                Effect.matchCauseEffect(run, {
                  onSuccess: () => Effect.sync(() => monitor.count(`crons|${name}|done`)),
                  onFailure: (cause) => {
                    monitor.count(`crons|${name}|failed`)
                    return Effect.logError(`${name} failed; its next cron tries again`, cause)
                  }
                }),
                { job: name }
              ),
            { discard: true }
          )
    return Runtime.runPromise(runtime)(
      work.pipe(
        Effect.annotateLogs({ cron }),
        Effect.provideService(Background, background),
        Effect.provideService(Session, null),
        Effect.provideService(RetryPolicy, RetryPolicyCron.make)
      )
    )
  })
