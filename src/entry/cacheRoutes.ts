import * as Layer from "effect/Layer"
import { admin } from "./admin/apiAdmin.ts"
import * as HandlersAdmin from "./admin/handlersAdmin.ts"
import { larder } from "./http/apiLarder.ts"
import { data, ledger } from "./monitoring/apiData.ts"
import * as HandlersData from "./monitoring/handlersData.ts"
import { cache } from "./store/apiCache.ts"
import { entries } from "./store/apiEntries.ts"
import * as HandlersCache from "./store/handlersCache.ts"

/** The route of entries is answered before this one is loaded; it is here for the methods that it has. */
export const routes = {
  api: larder.add(entries).add(cache).add(ledger).add(data).add(admin),
  handlers: Layer.mergeAll(HandlersCache.layer, HandlersData.layer, HandlersAdmin.layer)
}
