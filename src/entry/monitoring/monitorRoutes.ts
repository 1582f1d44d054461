import * as Layer from "effect/Layer"
import { larder } from "../http/apiLarder.ts"
import { config } from "./apiConfig.ts"
import { monitor } from "./apiMonitor.ts"
import * as HandlersConfig from "./handlersConfig.ts"
import * as HandlersMonitor from "./handlersMonitor.ts"

export const routes = {
  api: larder.add(monitor).add(config),
  handlers: Layer.merge(HandlersMonitor.layer, HandlersConfig.layer)
}
