import { alertRules } from "../../alerts/model/AlertRule.ts"
import { alertStates } from "../../alerts/model/AlertState.ts"
import { deadLetters } from "../../alerts/model/DeadLetter.ts"
import { analyses } from "../../market/model/Analysis.ts"
import { dailyReports } from "../../market/model/DailyReport.ts"
import { quotes } from "../../market/model/Quote.ts"
import { sectorPanels } from "../../market/model/SectorPanel.ts"
import { signals } from "../../market/model/Signal.ts"
import { signalTracking } from "../../market/model/SignalTracking.ts"
import { sentiments } from "../../market/Sentiment.ts"
import { throttleStates } from "../../market/Throttle.ts"
import type { Collection } from "../../store/model/Collection.ts"

/**
 * The collections that the application itself declares. They always exist; `COLLECTIONS` may change their policies.
 * The cache routes are closed to them, but for an administrator who reads.
 */
export const deskCollections: ReadonlyArray<Collection> = [
  alertRules,
  alertStates,
  deadLetters,
  throttleStates,
  quotes,
  { collection: sectorPanels },
  sentiments,
  analyses,
  signals,
  signalTracking,
  dailyReports
].map(({ collection }) => collection)
