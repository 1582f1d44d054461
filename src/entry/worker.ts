import { cacheApplication } from "./cacheApplication.ts"
import { marketDesk } from "./desk/marketDesk.ts"
import { fileService } from "./files/fileService.ts"
import * as Isolates from "./isolates.ts"
import { monitorApplication } from "./monitoring/monitorApplication.ts"
import { observer } from "./monitoring/observer.ts"

export { DatabaseDurableObject } from "./database/DatabaseDurableObject.ts"
export { MonitoredCacheObject as CacheDurableObject } from "./monitoring/MonitoredCacheObject.ts"

/** The cache with its applications: one line for each. */
export default Isolates.worker([cacheApplication, monitorApplication, marketDesk, fileService], { observer })
