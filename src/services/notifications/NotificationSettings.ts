import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import { duration, flag, group, type Values } from "../settings/model/Setting.ts"

const declared = {
  webhookDeadline: duration({
    variable: "WEBHOOK_DEADLINE",
    default: Duration.seconds(10),
    documentation: "How long one attempt to notify a webhook may take."
  }),
  webhookAllowLocal: flag({
    variable: "WEBHOOK_ALLOW_LOCAL",
    default: false,
    documentation: "Whether webhooks may go to `http` and to local names and addresses; for local use only."
  })
}

/** The settings of notifications. */
export class NotificationSettings extends Context.Tag("larder/NotificationSettings")<
  NotificationSettings,
  Values<typeof declared>
>() {}

export const notificationSettings = group(NotificationSettings, declared, ["WEBHOOK_SECRET", "WEBHOOK_SECRET_PREVIOUS"])
