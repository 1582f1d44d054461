import * as OpenApi from "@effect/platform/OpenApi"
import { admin } from "./admin/apiAdmin.ts"
import { alerts } from "./alerts/apiAlerts.ts"
import { database } from "./database/apiDatabase.ts"
import { documentedFiles } from "./files/apiFiles.ts"
import { storage } from "./files/apiStorage.ts"
import { larder } from "./http/apiLarder.ts"
import { market } from "./market/apiMarket.ts"
import { sectors } from "./market/apiSectors.ts"
import { config } from "./monitoring/apiConfig.ts"
import { data, ledger } from "./monitoring/apiData.ts"
import { monitor } from "./monitoring/apiMonitor.ts"
import { statics } from "./static-data/apiStatic.ts"
import { cache } from "./store/apiCache.ts"
import { entries } from "./store/apiEntries.ts"

/** The contract of core.ts: the cache alone. */
export const coreApi = larder
  .annotate(OpenApi.Title, "Larder")
  .annotate(OpenApi.Version, "1")
  .annotate(
    OpenApi.Description,
    "A cache that spends almost no Workers KV operations. Refusals are RFC 9457 problems; cache results carry `Cache-Status` (RFC 9211)."
  )
  .annotate(OpenApi.License, { name: "MIT" })
  .add(entries)
  .add(cache)
  .add(ledger)
  .add(data)
  .add(admin)

/** The contract of worker.ts: the cache with its applications. */
export const api = coreApi
  .add(statics)
  .add(monitor)
  .add(config)
  .add(sectors)
  .add(market)
  .add(alerts)
  .add(documentedFiles)
  .add(storage)
  .add(database)
