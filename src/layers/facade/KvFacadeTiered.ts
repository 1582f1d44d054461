import * as Cause from "effect/Cause"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Runtime from "effect/Runtime"
import { Background, type BackgroundService } from "../../services/base/Background.ts"
import { type FacadeOptions, type FacadeStats, KvFacade } from "../../services/facade/KvFacade.ts"
import * as KvArguments from "../../services/facade/model/KvArguments.ts"
import { valueAs, withMetadata } from "../../services/facade/model/KvValue.ts"
import { Kv } from "../../services/kv/Kv.ts"
import { Ledger } from "../../services/ledger/Ledger.ts"
import type { KvKind } from "../../services/ledger/model/KvKind.ts"
import type { Entry } from "../../services/store/model/Entry.ts"
import { Stamper } from "../../services/store/Stamper.ts"
import { addressOf, ReadPath } from "../../services/tiers/ReadPath.ts"
import * as BackgroundWorker from "../base/BackgroundWorker.ts"
import * as LoggerJson from "../base/LoggerJson.ts"
import { makeFacadeCollections } from "./internal/facadeCollections.ts"
import { makeFacadeLedger } from "./internal/facadeLedger.ts"
import { makeFacadeLoads } from "./internal/facadeLoads.ts"
import { makeFacadeReads } from "./internal/facadeReads.ts"
import { entryOfPut, makeFacadeWrites } from "./internal/facadeWrites.ts"
import { listResult, makeListPages, pageOf } from "./internal/listPages.ts"
import { platformError } from "./internal/platformError.ts"
import { makePolicies } from "./internal/policies.ts"

/** How long a write waits for another event's write of its key. */
const patience = Duration.seconds(5)

const sleep = (millis: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, millis))

const runExit = Runtime.runPromiseExit(LoggerJson.runtime)

/** In one event; rejects with what the platform threw. */
const run = async <A, E>(effect: Effect.Effect<A, E>, background: BackgroundService): Promise<A> => {
  const exit = await runExit(Effect.provideService(effect, Background, background))
  if (Exit.isSuccess(exit)) return exit.value
  throw platformError(Cause.squash(exit.cause))
}

/** The platform's own namespace, and what stands in front of it. */
export interface FacadeParts {
  /** For calls whose arguments are the platform's to judge. */
  readonly binding: KVNamespace
  readonly kv: Kv["Type"]
  /** That `kv` keeps the values elsewhere and counts by itself what that costs. */
  readonly elsewhere?: boolean
  readonly readPath: ReadPath["Type"]
  readonly stamper: Stamper["Type"]
  readonly ledger: Ledger["Type"]
  /** Of the namespace in memory and edge. */
  readonly name: string
  readonly options: FacadeOptions
}

export const make = ({
  binding,
  elsewhere = false,
  kv: unmetered,
  ledger,
  name,
  options,
  readPath,
  stamper
}: FacadeParts): KvFacade["Type"] => {
  const { flushAfter = 1, instant = false } = options
  const policyOf = makePolicies(options)
  const platform = binding as unknown as { readonly [M in keyof KVNamespace]: (...args: Arguments) => Promise<unknown> }
  const collectionFor = makeFacadeCollections(name, options.edge !== undefined)
  const addressFor = (key: string, cacheTtl = policyOf(key).cacheTtl) => addressOf(collectionFor(cacheTtl), key)
  const { asked, billed, over } = makeFacadeLedger(ledger, name)
  const kv = elsewhere ? unmetered : over(unmetered)
  const pages = makeListPages()
  const reads = makeFacadeReads(kv, readPath)
  const writes = makeFacadeWrites(kv, readPath, pages, run, patience, sleep, instant ? 10 : 4)

  /** A call that only the platform can judge, counted where it took it. */
  const handedOver = async <A>(kind: KvKind, count: number, call: () => Promise<A>): Promise<A> => {
    const answer = await call()
    if (elsewhere) return answer
    asked(kind, count)
    billed(kind, count)
    return answer
  }

  const during = (event: Pick<ExecutionContext, "waitUntil"> | undefined): KVNamespace => {
    const context = event ?? unattended
    const background = BackgroundWorker.make(context)
    let flushing = false

    /** What a tier in front holds of a key that is fresh, found without a fiber; undefined where KV has to be asked. */
    const held = (key: string, cacheTtl: number | undefined): { readonly entry: Entry | undefined } | undefined => {
      const now = Date.now()
      return writes.waiting(key, now) ?? readPath.held(addressFor(key, cacheTtl), now)
    }

    const one = (key: string, cacheTtl: number | undefined): Promise<Entry | undefined> =>
      run(reads.one(addressFor(key, cacheTtl), cacheTtl), background)

    const many = async <A>(
      keys: ReadonlyArray<string>,
      cacheTtl: number | undefined,
      show: (entry: Entry) => A
    ): Promise<Map<string, A | null>> => {
      asked("reads", keys.length)
      const now = Date.now()
      const rest = keys.filter((key) => writes.waiting(key, now) === undefined)
      const addresses = rest.map((key) => addressFor(key, cacheTtl))
      const found = rest.length === 0 ? [] : await run(reads.many(addresses, cacheTtl), background)
      const byKey = new Map(rest.map((key, index) => [key, found[index]]))
      const entryOf = (key: string) => (byKey.has(key) ? byKey.get(key) : writes.waiting(key, now)?.entry)
      try {
        return new Map(
          keys.map((key) => [key, entryOf(key)] as const).map(([key, entry]) => [key, entry ? show(entry) : null])
        )
      } catch {
        throw new Error(notJson)
      }
    }

    const reading =
      <A, B>(
        show: (type: KvArguments.ValueType, entry: Entry | undefined) => A,
        showOfMany: (type: KvArguments.ValueType, entry: Entry) => B,
        handOver: (...args: Arguments) => Promise<unknown>
      ) =>
      async (...args: Arguments): Promise<unknown> => {
        const [asking, given] = args
        const call = KvArguments.getArguments(given)
        const bulk = Array.isArray(asking)
        const keys = bulk ? KvArguments.bulkKeys(asking) : KvArguments.isKey(asking) ? [asking] : undefined
        if (call === undefined || keys === undefined || (bulk && call.type !== "text" && call.type !== "json")) {
          return await handedOver("reads", keys?.length ?? 1, () => handOver(...args))
        }
        if (bulk) return await many(keys, call.cacheTtl, (entry) => showOfMany(call.type, entry))
        asked("reads")
        const found = held(keys[0]!, call.cacheTtl)
        return show(call.type, found === undefined ? await one(keys[0]!, call.cacheTtl) : found.entry)
      }

    const changing = async (key: string, entry: Entry | undefined, now: number): Promise<void> => {
      const mode = event === undefined ? "through" : policyOf(key).write
      const change = { address: addressFor(key), entry, background, buffered: mode === "behind" }
      if (mode === "through" || !writes.behind(change, now)) return writes.through({ ...change, buffered: false })
      if (flushing) return
      flushing = true
      context.waitUntil(
        sleep(flushAfter * 1000).then(() => {
          flushing = false
          return writes.flush(background)
        })
      )
    }

    /** Whether this isolate wrote the same before, and nobody else writes. */
    const isThere = (key: string, put: KvArguments.PutArguments, now: number): boolean => {
      if (!policyOf(key).exclusive || put.expiresAt !== Number.POSITIVE_INFINITY) return false
      const entry = writes.waiting(key, now)?.entry ?? readPath.known(addressFor(key), now)?.entry
      return (
        entry !== undefined &&
        entry.stamp.writer !== "" &&
        entry.expiresAt === put.expiresAt &&
        JSON.stringify(entry.metadata ?? null) === JSON.stringify(put.metadata) &&
        isSame(entry.value, put.bytes)
      )
    }

    /** What the platform did with a key is not known here. */
    const unknown = async <A>(key: unknown, call: Promise<A>): Promise<A> => {
      try {
        return await call
      } finally {
        pages.forget(String(key))
        await run(readPath.drop(addressFor(String(key))), background)
      }
    }

    const facade = {
      get: reading(
        (type, entry) => (entry === undefined ? null : valueAs(type, entry.value)),
        (type, entry) => valueAs(type, entry.value),
        (...args) => platform.get(...args)
      ),

      getWithMetadata: reading(
        withMetadata,
        (type, { metadata = null, value }) => ({ value: valueAs(type, value), metadata: structuredClone(metadata) }),
        (...args) => platform.getWithMetadata(...args)
      ),

      put: async (...args: Arguments): Promise<unknown> => {
        const [key, value, given] = args
        const now = Date.now()
        const put = KvArguments.isKey(key) ? KvArguments.putArguments(value, given, now) : undefined
        if (put === undefined) {
          return await unknown(
            key,
            handedOver("writes", 1, () => platform.put(...args))
          )
        }
        asked("writes")
        if (isThere(key as string, put, now)) return
        return changing(key as string, entryOfPut(put, stamper.next(now)), now)
      },

      delete: async (...args: Arguments): Promise<unknown> => {
        const [key] = args
        if (!KvArguments.isKey(key)) {
          return await unknown(
            key,
            handedOver("deletes", 1, () => platform.delete(...args))
          )
        }
        asked("deletes")
        return changing(key, undefined, Date.now())
      },

      list: async (...args: Arguments): Promise<unknown> => {
        const call = KvArguments.listArguments(args[0])
        if (call === undefined) return await handedOver("lists", 1, () => platform.list(...args))
        asked("lists")
        const readAt = Date.now()
        const kept = pages.kept(call, policyOf(call.prefix).cacheTtl * 1000, readAt)
        if (kept !== undefined) return listResult(kept)
        const { cursor, limit, prefix } = call
        const page = await run(kv.list({ prefix, limit, ...(cursor === undefined ? {} : { cursor }) }), background)
        return listResult(pages.keep(call, pageOf(page), readAt, Date.now()))
      }
    }
    return facade as unknown as KVNamespace
  }

  const loads = makeFacadeLoads(kv, readPath, stamper, collectionFor, (key) => policyOf(key).cacheTtl, !instant)

  return {
    during,
    getOrLoad: (context, key, load, policy) => {
      asked("reads")
      return run(
        loads.getOrLoad(key, load, policy, () => asked("writes")),
        BackgroundWorker.make(context ?? unattended)
      )
    },
    flush: (context) => writes.flush(BackgroundWorker.make(context ?? unattended)),
    stats: (): FacadeStats => {
      const { total, usd } = ledger.report()
      return {
        asked: total.logical,
        billed: total.kv,
        durableObject: total.durableObject,
        buffered: writes.buffered(),
        usd: { asked: usd.withoutLarder, billed: usd.spent, saved: usd.saved, pricesAsOf: usd.pricesAsOf }
      }
    }
  }
}

export const layer = (
  parts: Pick<FacadeParts, "binding" | "name" | "options">
): Layer.Layer<KvFacade, never, Kv | ReadPath | Stamper | Ledger> =>
  Layer.effect(
    KvFacade,
    Effect.map(Effect.all([Kv, ReadPath, Stamper, Ledger]), ([kv, readPath, stamper, ledger]) =>
      make({ ...parts, kv, readPath, stamper, ledger })
    )
  )

// internal

/** Of a call as it came: the platform judges what is missing, too. */
type Arguments = ReadonlyArray<unknown>

/** The platform's words for a bulk read as JSON of a value that is none. */
const notJson = "KV GET_BULK failed: 400 At least one of the requested keys corresponds to a non-json value"

/** For who has no event at hand: what goes on behind an answer is started, and may end with its event. */
const unattended: Pick<ExecutionContext, "waitUntil"> = {
  waitUntil: (promise) => void promise.catch(() => {})
}

const isSame = (a: Uint8Array, b: Uint8Array): boolean =>
  a.byteLength === b.byteLength && a.every((byte, index) => byte === b[index])
