import * as Context from "effect/Context"
import * as EdgeResponsesCaches from "../../layers/http-cache/EdgeResponsesCaches.ts"
import * as EdgeResponsesOff from "../../layers/http-cache/EdgeResponsesOff.ts"
import * as ResponseStoreTiered from "../../layers/http-cache/ResponseStoreTiered.ts"
import * as MemoryTierTinyLfu from "../../layers/tiers/MemoryTierTinyLfu.ts"
import * as SingleFlightPromise from "../../layers/tiers/SingleFlightPromise.ts"
import { HttpCacheSettings } from "../../services/http-cache/HttpCacheSettings.ts"
import { defaultPolicy, type HttpCachePolicy } from "../../services/http-cache/model/HttpCachePolicy.ts"
import type { PurgeLog } from "../../services/http-cache/PurgeLog.ts"
import { ResponseStore } from "../../services/http-cache/ResponseStore.ts"
import { SingleFlight } from "../../services/tiers/SingleFlight.ts"
import * as hotHit from "./hotHit.ts"

export interface HttpCacheOptions extends Partial<HttpCachePolicy> {
  /** Bytes of isolate memory that stored responses may take; 16 MiB unless it says otherwise. */
  readonly memoryBytes?: number
  /** Seconds that this isolate goes by what it holds before it asks the edge again; 60. */
  readonly memoryTtl?: number
  /** False to keep nothing in the Cache API. */
  readonly edge?: boolean
  /**
   * Where purges are kept so that they reach every location, made of the handler's `env` when it is first known: see
   * `durablePurges` of `larder-kv/durable`. Without it a purge reaches this location.
   */
  readonly purges?: (env: unknown) => PurgeLog
  /** Seconds that a request waits for another's fetch of the same before it fetches by itself; 10. */
  readonly patience?: number
}

/** What to purge; the names of one call are alternatives. */
export interface PurgeRequest {
  /** As the responses' `Cache-Tag` names them. */
  readonly tags?: ReadonlyArray<string>
  /** Beginnings of paths. */
  readonly pathPrefixes?: ReadonlyArray<string>
  readonly everything?: true
}

const edgeHost = "http-cache.larder.internal"

/** One cache: its store, what memory alone answers, and the services that its programs need. */
export const make = ({
  edge = true,
  memoryBytes = 16 * (1 << 20),
  memoryTtl = 60,
  patience = 10,
  purges,
  ...chosen
}: HttpCacheOptions = {}) => {
  const policy: HttpCachePolicy = { ...defaultPolicy, ...chosen }
  let purgeLog: PurgeLog | undefined
  const memory = MemoryTierTinyLfu.make(memoryBytes)
  const location = edge ? EdgeResponsesCaches.make(() => caches.default, edgeHost) : EdgeResponsesOff.make()
  const store = ResponseStoreTiered.make(memory, location, {
    policy,
    memoryTtl: memoryTtl * 1000,
    purgeLog: () => purgeLog
  })
  const services = Context.empty().pipe(
    Context.add(ResponseStore, store),
    Context.add(SingleFlight, SingleFlightPromise.make()),
    Context.add(HttpCacheSettings, { policy, patience: patience * 1000 })
  )
  return {
    store,
    services,
    hit: hotHit.make(store, policy),
    /** To be called with every `env` before anything else; it is the same in one isolate. */
    meet: (env: unknown): void => {
      if (purges !== undefined) purgeLog ??= purges(env)
    },
    /** Whether a purge would reach less than it should. */
    lacksLog: (): boolean => purges !== undefined && purgeLog === undefined
  }
}
