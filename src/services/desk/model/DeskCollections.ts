import * as Duration from "effect/Duration"
import { alertRules, alertStates, deadLetters } from "../../alerts/model/AlertCollections.ts"
import {
  analyses,
  dailyReports,
  quotes,
  sectorPanels,
  sentiments,
  signals,
  signalTracking,
  throttleStates
} from "../../market/model/MarketCollections.ts"
import { staticCollection } from "../../static-data/StaticData.ts"
import { type Collection, define } from "../../store/model/Collection.ts"

/**
 * The collections that the application itself declares. They always exist; `COLLECTIONS` may change their policies.
 * The cache routes are closed to them, but for an administrator who reads; the static tables, which cannot be written,
 * are open to all.
 */
export const deskCollections: ReadonlyArray<Collection> = [
  define(staticCollection, { ttl: Duration.infinity }),
  ...[
    alertRules,
    alertStates,
    deadLetters,
    throttleStates,
    quotes,
    sectorPanels,
    sentiments,
    analyses,
    signals,
    signalTracking,
    dailyReports
  ].map(({ application, name, policy }) => define(name, policy, application))
]
