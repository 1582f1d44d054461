import * as Duration from "effect/Duration"
import * as KvFacadeTiered from "../../layers/facade/KvFacadeTiered.ts"
import * as KvBinding from "../../layers/kv/KvBinding.ts"
import * as KvNamed from "../../layers/kv/KvNamed.ts"
import * as LedgerMemory from "../../layers/ledger/LedgerMemory.ts"
import * as EdgeCacheBinding from "../../layers/tiers/EdgeCacheBinding.ts"
import * as MemoryTierTinyLfu from "../../layers/tiers/MemoryTierTinyLfu.ts"
import * as ReadPathTiered from "../../layers/tiers/ReadPathTiered.ts"
import * as SingleFlightPromise from "../../layers/tiers/SingleFlightPromise.ts"
import type {
  FacadeOptions,
  FacadeStats,
  FacadeStore,
  KvFacade,
  LarderLedger,
  LoadPolicy
} from "../../services/facade/KvFacade.ts"
import type { Kv } from "../../services/kv/Kv.ts"
import { type Ledger, noCounts } from "../../services/ledger/Ledger.ts"
import { pricesAsOf } from "../../services/ledger/model/Prices.ts"
import type { TierSettings } from "../../services/settings/Settings.ts"
import { make as makeStamper, type Stamper } from "../../services/store/Stamper.ts"

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

/** What a store elsewhere is opened with. */
export interface StoreParts {
  readonly binding: KVNamespace
  readonly ledger: Ledger["Type"]
  readonly stamper: Stamper["Type"]
  /** Of the binding, among all that the store keeps. */
  readonly name: string
  /** The namespace itself, once it is made. */
  readonly namespace: () => KVNamespace
}

/** A store elsewhere, as its own entry point makes it. */
export interface OpenableStore extends FacadeStore {
  /** The store of an environment in which the objects are bound. */
  readonly in: (env: object) => OpenableStore
  /** `binding`: for the calls whose arguments only the platform can judge. */
  readonly open: (parts: StoreParts) => { readonly kv: Kv["Type"]; readonly binding: KVNamespace }
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
  const byName = new Map<string, KvFacade["Type"]>()

  const facadeOf = (binding: KVNamespace, options: FacadeOptions, label = `kv-${byName.size}`): KvFacade["Type"] => {
    const known = facades.get(binding)
    if (known !== undefined) return known
    const ledger = LedgerMemory.make(Date.now())
    const stored = (options.store as OpenableStore | undefined)?.open({
      binding,
      ledger,
      stamper,
      name: label,
      namespace: () => facade.during(undefined)
    })
    const facade: KvFacade["Type"] = KvFacadeTiered.make({
      binding: stored?.binding ?? binding,
      kv: KvNamed.make(stored?.kv ?? KvBinding.make(binding), label),
      elsewhere: stored !== undefined,
      ledger,
      name: options.edge ?? `kv-${byName.size}`,
      options,
      readPath,
      stamper
    })
    facades.set(binding, facade)
    byName.set(byName.has(label) ? `${label}-${byName.size}` : label, facade)
    return facade
  }
  return { facadeOf, byName }
}

let own: ReturnType<typeof makeFacades> | undefined
/** The facades behind the namespaces that were given out, so that what is wrapped twice is wrapped once. */
const behind = new WeakMap<KVNamespace, { readonly facade: KvFacade["Type"]; readonly binding: KVNamespace }>()

const facadeOf = (binding: KVNamespace, options: FacadeOptions = {}, name?: string): KvFacade["Type"] => {
  const known = behind.get(binding)
  if (known !== undefined) return known.facade
  own ??= makeFacades(options.memoryBytes ?? defaultMemoryBytes)
  return own.facadeOf(binding, options, name)
}

/**
 * A KV namespace with memory, single-flight and (on request) the edge cache in front of it, for one event. The first
 * call for a binding decides on its options.
 *
 * @param context what keeps the event alive; without it, nothing is written behind, and a refresh may be lost
 * @param name in the ledger, and among the namespaces that objects keep
 * @example
 * const kv = kvNamespace(env.KV, ctx)
 * await kv.get("greeting")
 */
export const kvNamespace = (
  binding: KVNamespace,
  context?: Waiting,
  options?: FacadeOptions,
  name?: string
): KVNamespace => {
  if (behind.has(binding)) return binding
  const facade = facadeOf(binding, options, name)
  const namespace = facade.during(context)
  behind.set(namespace, { facade, binding })
  return namespace
}

/** The platform's own namespace behind one that was given out. */
export const plainOf = (namespace: KVNamespace): KVNamespace => behind.get(namespace)?.binding ?? namespace

/**
 * The value under a key, or what `load` makes, kept in KV as JSON: loaded once for all who miss it at once.
 *
 * @example
 * const user = await cached(env.KV, ctx, `user:${id}`, () => fetchUser(id), { ttl: 300, staleFor: 60 })
 */
export const cached = <A>(
  binding: KVNamespace,
  context: Waiting | undefined,
  key: string,
  load: () => A | Promise<A>,
  policy: LoadPolicy
): Promise<A> => facadeOf(binding).getOrLoad(context, key, load, policy)

/** What this isolate asked of a namespace and what that came to, in keys billed and dollars. */
export const larderStats = (binding: KVNamespace): FacadeStats => facadeOf(binding).stats()

const sum = <A>(a: A, b: A): A =>
  typeof a === "number"
    ? ((a + (b as number)) as A)
    : typeof a === "object" && a !== null
      ? (Object.fromEntries(Object.entries(a).map(([name, value]) => [name, sum(value, b[name as keyof A])])) as A)
      : b

const none: FacadeStats = {
  asked: noCounts,
  billed: noCounts,
  durableObject: { requests: 0, rowsRead: 0, rowsWritten: 0 },
  buffered: 0,
  usd: { asked: 0, billed: 0, saved: 0, pricesAsOf }
}

export const larder = {
  /** What this isolate asked of all its namespaces and what that came to, since it began. */
  ledger: (): LarderLedger => {
    const byNamespace = Object.fromEntries([...(own?.byName ?? [])].map(([name, facade]) => [name, facade.stats()]))
    return { ...Object.values(byNamespace).reduce(sum, none), byNamespace }
  }
}
