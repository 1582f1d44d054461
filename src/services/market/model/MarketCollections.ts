import * as Duration from "effect/Duration"
import { alwaysAfresh, type Owner, type PolicyInput } from "../../store/model/Collection.ts"

// What an isolate has to know of these collections when it starts. Their keys and values need schemas, which it evaluates
// when an application is asked for.

interface Declaration {
  readonly name: string
  readonly application: Owner
  readonly policy: PolicyInput
}

export const analyses = {
  name: "analyses",
  application: { name: "market", route: "/api/v1/signals" },
  policy: { ttl: "365 days", memoryTtl: "5 minutes", edgeTtl: "5 minutes" }
} satisfies Declaration

export const dailyReports = {
  name: "daily-reports",
  application: { name: "market", route: "/api/v1/reports/daily/{date}" },
  policy: { ttl: Duration.infinity, memoryTtl: "1 hour", edgeTtl: "1 hour", negativeTtl: "30 seconds" }
} satisfies Declaration

export const quotes = {
  name: "quotes",
  application: { name: "market", route: "/api/v1/quotes" },
  policy: {
    ttl: "5 minutes",
    memoryTtl: "15 seconds",
    edgeTtl: "15 seconds",
    staleFor: "1 minute",
    graceFor: "1 day",
    negativeTtl: "15 seconds"
  }
} satisfies Declaration

export const signals = {
  name: "signals",
  application: { name: "market", route: "/api/v1/signals" },
  policy: { ttl: Duration.infinity, memoryTtl: "5 minutes", edgeTtl: "1 minute" }
} satisfies Declaration

export const signalTracking = {
  name: "signal-tracking",
  application: { name: "market", route: "/api/v1/signals" },
  policy: { ttl: Duration.infinity, memoryTtl: "5 minutes", edgeTtl: "1 minute" }
} satisfies Declaration

export const sentiments = {
  name: "sentiment",
  application: { name: "market", route: "/api/v1/sentiment/analysis" },
  policy: {
    ttl: "30 minutes",
    memoryTtl: "5 minutes",
    edgeTtl: "5 minutes",
    staleFor: "10 minutes",
    graceFor: "1 day"
  }
} satisfies Declaration

export const throttleStates = {
  name: "throttle",
  application: { name: "market" },
  policy: { ttl: Duration.hours(24), ...alwaysAfresh }
} satisfies Declaration

export const sectorPanels = {
  name: "sectors",
  application: { name: "market", route: "/api/v1/sectors/snapshot" },
  policy: { ttl: "7 days", graceFor: "7 days" }
} satisfies Declaration
