import * as HttpApi from "@effect/platform/HttpApi"
import * as OpenApi from "@effect/platform/OpenApi"
import { admin } from "./admin/apiAdmin.ts"
import { alerts } from "./alerts/apiAlerts.ts"
import { refusal } from "./http/apiProblem.ts"
import { market } from "./market/apiMarket.ts"
import { sectors } from "./market/apiSectors.ts"
import { data, ledger } from "./monitoring/apiData.ts"
import { statics } from "./static-data/apiStatic.ts"
import { cache } from "./store/apiCache.ts"
import { entries } from "./store/apiEntries.ts"

/** What HttpApi serves: everything but the hot route. */
export const control = HttpApi.make("larder")
  .add(cache)
  .add(ledger)
  .add(data)
  .add(statics)
  .add(sectors)
  .add(market)
  .add(alerts)
  .add(admin)
  .addError(refusal(400, "a key, a parameter, a header or the JSON is not valid"))
  .addError(refusal(401, "no API key, or a wrong one"))
  .addError(refusal(403, "the API key lacks the scope, or the collection belongs to an application"))
  .addError(refusal(429, "over a rate or an allowance: `Retry-After` says when to try again"))
  .addError(refusal(500, "our mistake"))
  .addError(refusal(503, "no tier could answer, or no store took the write: `Retry-After`"))
  .annotate(OpenApi.Title, "Larder")
  .annotate(OpenApi.Version, "1")
  .annotate(
    OpenApi.Description,
    "A cache that spends almost no Workers KV operations. Refusals are RFC 9457 problems; cache results carry `Cache-Status` (RFC 9211)."
  )
  .annotate(OpenApi.License, { name: "MIT" })

/** The whole contract, for clients and documentation. */
export const api = control.add(entries)
