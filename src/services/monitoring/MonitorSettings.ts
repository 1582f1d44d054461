import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import { duration, flag, group, limit, number, text, type Values } from "../settings/model/Setting.ts"

const declared = {
  alertErrorRate: number({
    variable: "ALERT_ERROR_RATE",
    default: 0.05,
    least: 0,
    most: 1,
    documentation: "Share of answers of 500 and above that raises an alert; half of it clears it."
  }),
  alertHitRatio: number({
    variable: "ALERT_HIT_RATIO",
    default: 0.7,
    least: 0,
    most: 1,
    documentation: "Hit ratio below which an alert is raised; a twentieth above it clears it."
  }),
  alertLatency: duration({
    variable: "ALERT_LATENCY",
    default: Duration.seconds(1),
    documentation: "p95 of all requests that raises an alert; four fifths of it clear it."
  }),
  alertKvWrites: limit({
    variable: "ALERT_KV_WRITES",
    documentation: "KV writes of a UTC day that raise an alert; the Free plan allows 1,000."
  }),
  alertWebhook: text({
    variable: "ALERT_WEBHOOK",
    default: "none",
    allowed: "a URL that takes POSTs, or `none`",
    pattern: /^(none|https?:\/\/\S+)$/,
    documentation: "Who is told of alerts, signed with `WEBHOOK_SECRET`; see [operating.md](operating.md)."
  }),
  otlpEndpoint: text({
    variable: "OTLP_ENDPOINT",
    default: "none",
    allowed: "the URL of an OpenTelemetry collector, or `none`",
    pattern: /^(none|https?:\/\/\S+)$/,
    documentation: "Where each isolate sends metrics and traces once a minute; see [operating.md](operating.md)."
  }),
  otlpTraceShare: number({
    variable: "OTLP_TRACE_SHARE",
    default: 0.01,
    least: 0,
    most: 1,
    documentation: "Share of requests that begin a trace, beside those whose caller traces them; 0 for no traces."
  }),
  spendCapUsd: number({
    variable: "SPEND_CAP_USD",
    default: 0,
    least: 0,
    most: 1_000_000,
    documentation: "Dollars that a UTC day may cost at list price; 0 for no cap. See [operating.md](operating.md)."
  }),
  spendCapShare: number({
    variable: "SPEND_CAP_SHARE",
    default: 0.1,
    least: 0.001,
    most: 1,
    documentation: "Share of the cap that one isolate may spend in KV mode, where none knows what the others spend."
  }),
  spendCapRefuses: flag({
    variable: "SPEND_CAP_REFUSES",
    default: false,
    documentation: "Whether requests are refused once the cap is reached; without it reads are served stale only."
  }),
  killSwitch: flag({
    variable: "KILL_SWITCH",
    default: false,
    documentation: "Refuses every request to the API but monitoring, settings and operations."
  })
}

export type MonitorValues = Values<typeof declared>

/** The settings of monitoring. */
export class MonitorSettings extends Context.Tag("larder/MonitorSettings")<MonitorSettings, MonitorValues>() {}

export const monitorSettings = group(MonitorSettings, declared, ["OTLP_HEADERS"])
