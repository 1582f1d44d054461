import * as Layer from "effect/Layer"
import { alerts } from "../alerts/apiAlerts.ts"
import * as HandlersAlerts from "../alerts/handlersAlerts.ts"
import { larder } from "../http/apiLarder.ts"
import { market } from "../market/apiMarket.ts"
import { sectors } from "../market/apiSectors.ts"
import * as HandlersMarket from "../market/handlersMarket.ts"
import * as HandlersSectors from "../market/handlersSectors.ts"
import { statics } from "../static-data/apiStatic.ts"
import * as HandlersStatic from "../static-data/handlersStatic.ts"

export const routes = {
  api: larder.add(statics).add(sectors).add(market).add(alerts),
  handlers: Layer.mergeAll(HandlersStatic.layer, HandlersSectors.layer, HandlersMarket.layer, HandlersAlerts.layer)
}
