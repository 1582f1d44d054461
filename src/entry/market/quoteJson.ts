import { changeOf, type Quote } from "../../services/market/model/Quote.ts"
import { isoTime } from "../http/isoTime.ts"

/** A quote as HTTP gives it: with its change, as a fraction of the close before. */
export const quoteJson = ({ at, source = "unknown", ...quote }: Quote, stale: boolean) => ({
  ...quote,
  source,
  at: isoTime(at) ?? "",
  change: Math.round(changeOf({ ...quote, at }) * 1e6) / 1e6,
  stale
})
