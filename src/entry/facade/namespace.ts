import * as Duration from "effect/Duration"
import * as KvFacadeTiered from "../../layers/facade/KvFacadeTiered.ts"
import * as KvBinding from "../../layers/kv/KvBinding.ts"
import * as LedgerMemory from "../../layers/ledger/LedgerMemory.ts"
import * as EdgeCacheBinding from "../../layers/tiers/EdgeCacheBinding.ts"
import * as MemoryTierTinyLfu from "../../layers/tiers/MemoryTierTinyLfu.ts"
import * as ReadPathTiered from "../../layers/tiers/ReadPathTiered.ts"
import * as SingleFlightPromise from "../../layers/tiers/SingleFlightPromise.ts"
import type { FacadeOptions, FacadeStats, KvFacade, LoadPolicy } from "../../services/facade/KvFacade.ts"
import type { TierSettings } from "../../services/settings/Settings.ts"
import { make as makeStamper } from "../../services/store/Stamper.ts"

/** What keeps an event alive: a Worker's `ctx`. */
type Waiting = Pick<ExecutionContext, "waitUntil">

const edgeHost = "larder-kv.internal"

const defaultMemoryBytes = 50_000_000

/** As the Worker's settings have them by default; written down, so that reading settings stays out of the bundle. */
export const tierSettings: TierSettings = {
  edgeDeadline: Duration.millis(50),
  edgeOperations: 40,
  softDeadline: Duration.millis(100),
  followerPatience: Duration.seconds(2),
  breakerThreshold: 5,
  breakerCooldown: Duration.seconds(10),
  refreshBeta: 1,
  refreshTheta: 0.5,
  durableMode: false
}

/**
 * The facades of one isolate: they share its memory, and each namespace has one. Made at the first use, as global scope
 * has no randomness.
 */
export const makeFacades = (memoryBytes: number) => {
  const memory = MemoryTierTinyLfu.make(memoryBytes, crypto.getRandomValues(new Uint32Array(1))[0])
  const edge = EdgeCacheBinding.make(() => caches.default, edgeHost)
  const flight = SingleFlightPromise.make()
  const readPath = ReadPathTiered.make(tierSettings, memory, edge, flight, ({ byteLength }) => byteLength)
  const stamper = makeStamper(() => crypto.randomUUID().slice(0, 8))
  const facades = new WeakMap<KVNamespace, KvFacade["Type"]>()
  let made = 0
  return (binding: KVNamespace, options: FacadeOptions): KvFacade["Type"] => {
    const known = facades.get(binding)
    if (known !== undefined) return known
    const name = options.edge ?? `kv-${made++}`
    const ledger = LedgerMemory.make(Date.now())
    const kv = KvBinding.make(binding)
    const facade = KvFacadeTiered.make({ binding, kv, ledger, name, options, readPath, stamper })
    facades.set(binding, facade)
    return facade
  }
}

let facadeIn: ReturnType<typeof makeFacades> | undefined
/** The facades behind the namespaces that were given out, so that what is wrapped twice is wrapped once. */
const behind = new WeakMap<KVNamespace, KvFacade["Type"]>()

const facadeOf = (binding: KVNamespace, options: FacadeOptions = {}): KvFacade["Type"] => {
  const known = behind.get(binding)
  if (known !== undefined) return known
  facadeIn ??= makeFacades(options.memoryBytes ?? defaultMemoryBytes)
  return facadeIn(binding, options)
}

/**
 * A KV namespace with memory, single-flight and (on request) the edge cache in front of it, for one event. The first
 * call for a binding decides on its options.
 *
 * @example
 * const kv = kvNamespace(env.KV, ctx)
 * await kv.get("greeting")
 */
export const kvNamespace = (binding: KVNamespace, context: Waiting, options?: FacadeOptions): KVNamespace => {
  if (behind.has(binding)) return binding
  const facade = facadeOf(binding, options)
  const namespace = facade.during(context)
  behind.set(namespace, facade)
  return namespace
}

/**
 * The value under a key, or what `load` makes, kept in KV as JSON: loaded once for all who miss it at once.
 *
 * @example
 * const user = await cached(env.KV, ctx, `user:${id}`, () => fetchUser(id), { ttl: 300, staleFor: 60 })
 */
export const cached = <A>(
  binding: KVNamespace,
  context: Waiting,
  key: string,
  load: () => A | Promise<A>,
  policy: LoadPolicy
): Promise<A> => facadeOf(binding).getOrLoad(context, key, load, policy)

/** What this isolate asked of a namespace and what that came to, in keys billed and dollars. */
export const larderStats = (binding: KVNamespace): FacadeStats => facadeOf(binding).stats()
