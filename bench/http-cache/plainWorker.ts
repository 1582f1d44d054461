import { type Env, forward } from "./forward.ts"

/** The same proxy without the cache. */
export default { fetch: forward } satisfies ExportedHandler<Env>
