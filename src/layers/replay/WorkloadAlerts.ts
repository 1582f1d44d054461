import * as Random from "../../services/base/model/Random.ts"
import { epoch } from "../../services/replay/model/Trace.ts"
import type { Workload, WorkloadEntry, WorkloadRequest } from "../../services/replay/Workload.ts"
import type { Collection } from "../../services/store/model/Collection.ts"

const sweeps = 288
const everyMillis = 5 * 60_000
const states = 100
const providers = 25
const failures = 10

/** Bytes of a state (an alert's last price and evaluation time) and of a provider's failure count, as JSON. */
const stateBytes = 120
const failureBytes = 60

/** A UUID, as rules have. */
const ruleId = (alert: number): string => `00000000-0000-4000-8000-${String(alert).padStart(12, "0")}`

/**
 * A day of the alert cron: every five minutes a sweep reads and changes all of 100 alert states and sees ten of 25
 * providers fail. Stored one by one that is 220 KV operations a sweep, 2,640 an hour, whatever the seed: it chooses
 * which providers fail. A request here is one sweep, so there are 288.
 */
export const make = (
  seed: number,
  collections: { readonly states: Collection; readonly throttle: Collection }
): Workload["Type"] => {
  const draw = Random.make(seed)
  const stateNumbers = Array.from({ length: states }, (_, index) => index)
  const requests = Array.from({ length: sweeps }, (_, sweep): WorkloadRequest => {
    const left = Array.from({ length: providers }, (_, provider) => states + provider)
    const failed = Array.from({ length: failures }, () => left.splice(Math.floor(draw() * left.length), 1)[0]!)
    return { kind: "sweep", at: epoch + sweep * everyMillis, states: stateNumbers, failures: failed }
  })
  const entries: ReadonlyArray<WorkloadEntry> = [
    ...stateNumbers.map((alert) => ({
      collection: collections.states,
      key: ruleId(alert),
      size: stateBytes,
      initial: false
    })),
    ...Array.from({ length: providers }, (_, provider) => ({
      collection: collections.throttle,
      key: `unavailable/provider-${provider}`,
      size: failureBytes,
      initial: false
    }))
  ]
  return { name: "alerts", length: requests.length, request: (index) => requests[index]!, entries }
}
