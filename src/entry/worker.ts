import { cacheApplication } from "./cacheApplication.ts"
import { marketDesk } from "./desk/marketDesk.ts"
import { fileService } from "./files/fileService.ts"
import * as Isolates from "./isolates.ts"

export { CacheDurableObject } from "./CacheDurableObject.ts"

/** The cache with its applications: one line for each. */
export default Isolates.worker([cacheApplication, marketDesk, fileService])
