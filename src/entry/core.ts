import { cacheApplication } from "./cacheApplication.ts"
import * as Isolates from "./isolates.ts"

export { CacheDurableObject } from "./CacheDurableObject.ts"

/** The cache alone. */
export default Isolates.worker([cacheApplication], { document: "/openapi-core.json" })
