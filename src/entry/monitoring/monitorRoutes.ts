import { larder } from "../http/apiLarder.ts"
import { monitor } from "./apiMonitor.ts"
import * as HandlersMonitor from "./handlersMonitor.ts"

export const routes = {
  api: larder.add(monitor),
  handlers: HandlersMonitor.layer
}
