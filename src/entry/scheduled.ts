import * as Effect from "effect/Effect"
import * as Runtime from "effect/Runtime"
import { followMode } from "../programs/followMode.ts"
import { Background, type BackgroundService } from "../services/Background.ts"
import type { Ledger } from "../services/Ledger.ts"
import type { Settings } from "../services/Settings.ts"

type Requirements = Settings | Ledger

const follow = Effect.tap(followMode, (done) =>
  done === undefined ? Effect.void : Effect.logInfo("the store of the mode in force was brought up to date", done)
)

/** What every cron of wrangler.toml does, in order; one that fails holds up none behind it. */
const jobs: ReadonlyMap<
  string,
  ReadonlyArray<{ readonly name: string; readonly run: Effect.Effect<unknown, unknown, Requirements> }>
> = new Map([["*/5 * * * *", [{ name: "followMode", run: follow }]]])

/** Runs what belongs to a cron. Its failures are logged: Cloudflare does not run a cron again before its next time. */
export const make: Effect.Effect<(cron: string, background: BackgroundService) => Promise<void>, never, Requirements> =
  Effect.map(Effect.runtime<Requirements>(), (runtime) => (cron, background) => {
    const due = jobs.get(cron)
    const work =
      due === undefined
        ? Effect.logWarning(`the cron "${cron}" of wrangler.toml is unknown here: nothing is done`)
        : Effect.forEach(
            due,
            ({ name, run }) =>
              Effect.catchAllCause(run, (cause) => Effect.logError(`${name} failed; its next cron tries again`, cause)),
            { discard: true }
          )
    return Runtime.runPromise(runtime)(Effect.provideService(work, Background, background))
  })
