import type { Notification } from "../../notifications/Notifier.ts"
import type { AlertRule } from "./AlertRule.ts"
import type { PendingNotification } from "./AlertState.ts"

const isoTime = (millis: number): string => new Date(millis).toISOString()

/** What a rule's webhook is told of a firing: the same bytes whenever it is told. */
export const notificationOf = (rule: AlertRule, target: string, firing: PendingNotification): Notification => ({
  key: firing.key,
  target,
  body: JSON.stringify({
    type: "alert.fired",
    id: firing.key,
    firedAt: isoTime(firing.firedAt),
    symbol: rule.symbol,
    price: firing.price,
    measured: firing.measured,
    threshold: firing.threshold,
    rule: { id: rule.id, condition: rule.condition }
  })
})
