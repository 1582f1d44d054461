export type { CachedHandler, FetchHandler, HttpCacheOptions, PurgeRequest } from "../http-cache/withHttpCache.ts"
export { withHttpCache } from "../http-cache/withHttpCache.ts"
