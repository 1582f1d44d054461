export {
  type CachedHandler,
  type FetchHandler,
  type HttpCacheOptions,
  type PurgeRequest,
  withHttpCache
} from "../http-cache/withHttpCache.ts"
