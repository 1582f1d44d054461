import { alertRules } from "./AlertRule.ts"
import { alertStates } from "./AlertState.ts"
import { analyses } from "./Analysis.ts"
import type { Collection } from "./Collection.ts"
import { dailyReports } from "./DailyReport.ts"
import { deadLetters } from "./DeadLetter.ts"
import { quotes } from "./Quote.ts"
import { sectorPanels } from "./SectorPanel.ts"
import { sentiments } from "./Sentiment.ts"
import { signals } from "./Signal.ts"
import { signalTracking } from "./SignalTracking.ts"
import { throttleStates } from "./Throttle.ts"

/**
 * The collections that the application itself declares. They always exist; `COLLECTIONS` may change their policies.
 * HTTP serves them as it does any other.
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
