/** What the durable mode needs: the shards' objects, and a KV namespace for what lies outside them. */
export interface ObjectBindings {
  readonly CACHE_DO: DurableObjectNamespace
  readonly CACHE_DO_KV: KVNamespace
}

/** Undefined where either is not bound: one without the other keeps nothing. */
export const objectsOf = ({ CACHE_DO, CACHE_DO_KV }: Partial<ObjectBindings>): ObjectBindings | undefined =>
  CACHE_DO === undefined || CACHE_DO_KV === undefined ? undefined : { CACHE_DO, CACHE_DO_KV }
