import { cacheApplication } from "./cacheApplication.ts"
import { marketDesk } from "./desk/marketDesk.ts"
import { fileService } from "./files/fileService.ts"
import * as Isolates from "./isolates.ts"
import { monitorApplication } from "./monitoring/monitorApplication.ts"
import { observer } from "./monitoring/observer.ts"
import { storeEntrypoint } from "./rpc/storeEntrypoint.ts"

export { DatabaseDurableObject } from "./database/DatabaseDurableObject.ts"
export { MonitoredCacheObject as CacheDurableObject } from "./monitoring/MonitoredCacheObject.ts"

/** The cache with its applications: one line for each. */
const larder = Isolates.make([cacheApplication, monitorApplication, marketDesk, fileService], { observer })

export default larder.handler

/** For service bindings: `entrypoint = "Larder"`. */
export class Larder extends storeEntrypoint(larder.rpc) {}
