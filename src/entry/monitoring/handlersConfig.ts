import { createHash } from "node:crypto"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import { DeclaredSettings } from "../../services/settings/DeclaredSettings.ts"
import type { RuntimeState } from "../../services/settings/model/RuntimeState.ts"
import { RuntimeSettings, type RuntimeSettingsError } from "../../services/settings/RuntimeSettings.ts"
import { larder } from "../http/apiLarder.ts"
import { Caller } from "../http/authorize.ts"
import * as Handlers from "../http/handlers.ts"
import { isoTime } from "../http/isoTime.ts"
import { problem } from "../http/problem.ts"
import { config } from "./apiConfig.ts"
import { declaredIn, shown, texts } from "./settingValues.ts"

const known = <A>(effect: Effect.Effect<A, RuntimeSettingsError>) =>
  effect.pipe(
    Effect.tapError((error) => Effect.logWarning("the settings of run time are out of reach", error)),
    Effect.mapError(() => problem("unavailable", "what keeps the settings did not answer", { retryAfter: 5 }))
  )

/** Whose key it is, without the key. */
const caller = Effect.map(
  Effect.all([Handlers.WebRequest, Caller]),
  ([{ headers }, { name }]) =>
    name ??
    `key:${createHash("sha256")
      .update(headers.get("X-API-KEY") ?? "")
      .digest("hex")
      .slice(0, 8)}`
)

export const layer = Handlers.group(larder.add(config), "config", (handlers) =>
  Effect.gen(function* () {
    const runtime = yield* RuntimeSettings
    const { deployed, groups } = yield* DeclaredSettings
    const settings = declaredIn(groups)
    const told = (state: RuntimeState) =>
      Effect.map(Clock.currentTimeMillis, (now) => ({
        version: state.version,
        boundSeconds: runtime.boundSeconds,
        settings: shown(settings, deployed, state, now)
      }))
    return handlers
      .handle("settings", () => Effect.flatMap(known(runtime.read), told))
      .handle("change", ({ payload: { expiresIn, reason, settings: asked } }) =>
        Effect.gen(function* () {
          const { issues, values } = texts(settings, asked)
          if (issues.length > 0) {
            const detail = issues.map(({ detail, pointer }) => `${pointer.slice(11)}: ${detail}`).join("; ")
            return yield* problem("invalid-body", detail, { errors: issues })
          }
          const by = yield* caller
          const now = yield* Clock.currentTimeMillis
          const change = {
            values,
            by,
            ...(reason === undefined ? {} : { reason }),
            ...(expiresIn === undefined ? {} : { until: now + expiresIn * 1000 })
          }
          yield* Effect.logInfo(`settings changed at run time by ${by}`, change)
          return yield* Effect.flatMap(known(runtime.change(change)), told)
        })
      )
      .handle("reset", ({ path: { name } }) =>
        Effect.gen(function* () {
          if (!settings.has(name)) {
            return yield* problem("no-such-route", `"${name}" is not a setting of this Worker`)
          }
          yield* known(runtime.change({ values: { [name]: null }, by: yield* caller }))
        })
      )
      .handle("history", () =>
        Effect.map(known(runtime.read), ({ history }) => ({
          changes: history.map(({ at, until, ...change }) => ({
            ...change,
            at: isoTime(at) ?? "",
            ...(until === undefined ? {} : { until: isoTime(until) ?? "" })
          }))
        }))
      )
  })
)
