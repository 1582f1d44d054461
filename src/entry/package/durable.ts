import * as Shards from "../CacheDurableObject.ts"

export type { PurgeLog } from "../../services/http-cache/PurgeLog.ts"
export { type DurableOptions, durable, type MoveInOptions, moveIn } from "../facade/durableStore.ts"
export { durablePurges } from "../http-cache/durablePurges.ts"

/** One of the objects that keep the keys: to be exported by the Worker, bound, and named under `new_sqlite_classes`. */
export const CacheDurableObject: new (context: DurableObjectState, env: unknown) => Rpc.DurableObjectBranded =
  Shards.CacheDurableObject
