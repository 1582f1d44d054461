import { cacheApplication } from "./cacheApplication.ts"
import * as Isolates from "./isolates.ts"
import { storeEntrypoint } from "./rpc/storeEntrypoint.ts"

export { CacheDurableObject } from "./CacheDurableObject.ts"

const cache = { ...cacheApplication, bindings: { ASSETS: "/openapi.json answers 404" } }

/** The cache alone. */
const larder = Isolates.make([cache], { document: "/openapi-core.json" })

export default larder.handler

/** For service bindings: `entrypoint = "Larder"`. */
export class Larder extends storeEntrypoint(larder.rpc) {}
