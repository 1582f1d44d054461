export type { PurgeMark } from "../../services/http-cache/model/Purge.ts"
export type { PurgeLog } from "../../services/http-cache/PurgeLog.ts"
export type { CachedHandler, FetchHandler, HttpCacheOptions, PurgeRequest } from "../http-cache/withHttpCache.ts"
export { withHttpCache } from "../http-cache/withHttpCache.ts"
