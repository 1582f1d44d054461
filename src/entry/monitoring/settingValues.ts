import * as Either from "effect/Either"
import { type RuntimeState, settledAt } from "../../services/settings/model/RuntimeState.ts"
import type { Setting, SettingsGroup } from "../../services/settings/model/Setting.ts"
import { isoTime } from "../http/isoTime.ts"
import type { ProblemIssue } from "../http/problem.ts"
import { variablesOf } from "../variables.ts"

/** What a change at run time would not reach. */
const fixed: ReadonlyMap<string, string> = new Map([
  ["FEATURE_FLAG_DO_CACHE", "entries have to be handed over: see the change of mode in docs/deploying.md"],
  ["SHARDS", "keys have to move: POST /api/v1/admin/reshard"]
])

export const declaredIn = (groups: ReadonlyArray<SettingsGroup>): ReadonlyMap<string, Setting<unknown>> =>
  new Map(
    groups.flatMap(({ settings }) => Object.values(settings).map((setting) => [setting.variable, setting] as const))
  )

const optional = <K extends string>(name: K, value: string | null | undefined) =>
  (value === undefined || value === null ? {} : { [name]: value }) as { readonly [N in K]?: string }

/** Every setting as it is in force. */
export const shown = (
  settings: ReadonlyMap<string, Setting<unknown>>,
  deployed: ReadonlyMap<string, string>,
  state: RuntimeState,
  now: number
) => {
  const { overrides } = settledAt(state, now)
  return [...settings.values()].map((setting) => {
    const { allowed, default: own, documentation, variable } = setting
    const override = overrides[variable]
    const text = override?.value ?? deployed.get(variable)
    const value = text === undefined ? Either.right(own) : setting.parse(text)
    const isText = variable === "COLLECTIONS" && text !== undefined
    return {
      name: variable,
      value: Either.isLeft(value) || isText ? text! : setting.format(value.right),
      default: setting.format(own),
      origin:
        override !== undefined
          ? ("runtime" as const)
          : text === undefined
            ? ("default" as const)
            : ("deployed" as const),
      range: allowed,
      documentation,
      ...optional("fixed", fixed.get(variable)),
      ...optional("changedAt", override && isoTime(override.at)),
      ...optional("changedBy", override?.by),
      ...optional("reason", override?.reason),
      ...optional("until", override?.until === undefined ? undefined : isoTime(override.until))
    }
  })
}

/** The texts of a change, or what is wrong with it. */
export const texts = (
  settings: ReadonlyMap<string, Setting<unknown>>,
  values: { readonly [name: string]: unknown }
): { readonly values: { readonly [name: string]: string }; readonly issues: ReadonlyArray<ProblemIssue> } => {
  const written = variablesOf(values)
  const issues: Array<ProblemIssue> = []
  for (const name of Object.keys(values)) {
    const setting = settings.get(name)
    const text = written.get(name)
    const wrong = (detail: string) => issues.push({ pointer: `#/settings/${encodeURIComponent(name)}`, detail })
    if (setting === undefined) wrong(`"${name}" is not a setting of this Worker`)
    else if (fixed.has(name)) wrong(fixed.get(name)!)
    else if (text === undefined) wrong(`it must be ${setting.allowed}`)
    else {
      const parsed = setting.parse(text)
      if (Either.isLeft(parsed)) wrong(`it must be ${parsed.left}`)
    }
  }
  return { values: Object.fromEntries(written), issues }
}
