import * as Context from "effect/Context"
import { group, integer, type Values } from "../settings/model/Setting.ts"

const declared = {
  maxAlertRules: integer({
    variable: "MAX_ALERT_RULES",
    default: 500,
    least: 1,
    most: 1000,
    documentation: "Alert rules that there may be."
  })
}

/** The settings of the alerts. */
export class AlertSettings extends Context.Tag("larder/AlertSettings")<AlertSettings, Values<typeof declared>>() {}

export const alertSettings = group(AlertSettings, declared)
