import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as ManagedRuntime from "effect/ManagedRuntime"
import * as Runtime from "effect/Runtime"
import { expect } from "vitest"
import { serving } from "../../../src/entry/Application.ts"
import { type Kind, kinds } from "../../../src/entry/http/problem.ts"
import * as Http from "../../../src/entry/http.ts"
import * as KeyAliasOff from "../../../src/layers/aliasing/KeyAliasOff.ts"
import * as DurableCacheOff from "../../../src/layers/durable/DurableCacheOff.ts"
import * as KvMemory from "../../../src/layers/kv/KvMemory.ts"
import * as LedgerMemory from "../../../src/layers/ledger/LedgerMemory.ts"
import type { Receiver } from "../../../src/layers/notifications/NotifierMemory.ts"
import * as SettingsConfig from "../../../src/layers/settings/SettingsConfig.ts"
import * as StaticDataBundled from "../../../src/layers/static-data/StaticDataBundled.ts"
import * as StoreStatic from "../../../src/layers/static-data/StoreStatic.ts"
import { deskCollections } from "../../../src/services/desk/model/DeskCollections.ts"
import { DurableCache } from "../../../src/services/durable/DurableCache.ts"
import { RecordedTopology } from "../../../src/services/durable/RecordedTopology.ts"
import { Resharding } from "../../../src/services/durable/Resharding.ts"
import { Ledger } from "../../../src/services/ledger/Ledger.ts"
import { StoresOfRecord, type StoresOfRecordService } from "../../../src/services/migration/StoresOfRecord.ts"
import { accessSettings } from "../../../src/services/settings/AccessSettings.ts"
import { Bindings } from "../../../src/services/settings/Bindings.ts"
import { defaultsOf } from "../../../src/services/settings/model/Setting.ts"
import { declared, defaults, Settings, type SettingsValues, valuesOf } from "../../../src/services/settings/Settings.ts"
import { define } from "../../../src/services/store/model/Collection.ts"
import { MemoryTier } from "../../../src/services/tiers/MemoryTier.ts"
import { ReadPath } from "../../../src/services/tiers/ReadPath.ts"
import * as Desk from "../desk/desk.ts"
import * as ScriptedStore from "../store/scriptedStore.ts"

const origin = "https://larder.test"

const inForeground = {
  run: <A, E, R>(effect: Effect.Effect<A, E, R>) => Effect.asVoid(Effect.exit(effect)),
  promise: () => undefined
}

/** The whole HTTP surface over a scripted store, with what it logged. The key `test` may do everything. */
export const open = (
  options: {
    readonly apiKeys?: string | undefined
    readonly settings?: Partial<SettingsValues>
    /** What the applications read their settings from. */
    readonly variables?: Readonly<Record<string, string>>
    readonly script?: ScriptedStore.Script
    readonly bindings?: Readonly<Record<string, boolean>>
    /** Who is notified. */
    readonly receiver?: Receiver
    /** The objects, and both stores of record as wholes; without, there are none. */
    readonly objects?: {
      readonly durable: DurableCache["Type"]
      readonly stores: StoresOfRecordService
      readonly ledger: Ledger["Type"]
    }
    /** The objects one by one, and where it is recorded which of them have the keys. */
    readonly reshard?: { readonly steps: Resharding["Type"]; readonly recorded: RecordedTopology["Type"] }
  } = {}
) => {
  const script = options.script ?? ScriptedStore.script()
  const logged: Array<unknown> = []
  const apiKeys = "apiKeys" in options ? options.apiKeys : "test"
  const world = Layer.mergeAll(
    ScriptedStore.layer(script),
    KvMemory.layer,
    KeyAliasOff.layer,
    options.objects === undefined ? LedgerMemory.layer : Layer.succeed(Ledger, options.objects.ledger),
    options.objects === undefined ? DurableCacheOff.layer : Layer.succeed(DurableCache, options.objects.durable),
    Layer.succeed(StoresOfRecord, options.objects?.stores),
    Layer.succeed(Resharding, options.reshard?.steps),
    Layer.succeed(RecordedTopology, options.reshard?.recorded),
    Layer.succeed(MemoryTier, { stats: () => noMemory } as MemoryTier["Type"]),
    StaticDataBundled.layerOf(),
    Layer.succeed(ReadPath, { stats: () => noReads } as ReadPath["Type"]),
    Layer.succeed(Settings, {
      ...defaults,
      collections: valuesOf(defaultsOf(declared), [...deskCollections, define("notes")]).collections,
      ...options.settings
    }),
    SettingsConfig.layerGroup(accessSettings, new Map(Object.entries(options.variables ?? {}))),
    Layer.succeed(Bindings, new Map(Object.entries(options.bindings ?? {}))),
    Logger.replace(
      Logger.defaultLogger,
      Logger.make(({ cause, message }) => logged.push([message, cause]))
    )
  )
  const front = Layer.provideMerge(StoreStatic.layer, world)
  const managed = ManagedRuntime.make(Layer.provideMerge(Desk.offered(options.receiver), front))
  const run = Runtime.runSync(managed.runSync(managed.runtimeEffect))
  const started = run(Desk.running(options.variables))
  const openApi = async () => Response.json({ openapi: "3.1.0" })
  const answer = run(Http.make({ running: (path) => serving(started, path)!, apiKeys: apiKeys ?? "", openApi }))
  /** Sends as the key `test`, unless headers say otherwise. */
  const send = (path: string, init: RequestInit = {}): Promise<Response> => {
    const headers = new Headers(init.headers)
    if (!headers.has("X-API-KEY")) headers.set("X-API-KEY", "test")
    return answer(new Request(new URL(path, origin), { ...init, headers }), inForeground)
  }
  const sendJson = (path: string, body: unknown, init: RequestInit = {}): Promise<Response> =>
    send(path, {
      method: "POST",
      ...init,
      headers: { "Content-Type": "application/json", ...(init.headers as Record<string, string>) },
      body: JSON.stringify(body)
    })
  return { send, sendJson, answer: (request: Request) => answer(request, inForeground), script, logged }
}

/** The problem that a response carries, after the rules every problem keeps have been checked. */
export const problemOf = async (response: Response): Promise<Record<string, unknown>> => {
  const text = await response.text()
  if (response.headers.get("Content-Type") !== "application/problem+json") {
    throw new Error(`not a problem: ${response.status} ${text}`)
  }
  const body = JSON.parse(text) as Record<string, unknown>
  if (body.status !== response.status) throw new Error(`the status ${response.status} is not the body's: ${text}`)
  if (/\n\s+at |file:|\.ts:|node_modules|secret internals/.test(text)) throw new Error(`a stack leaked: ${text}`)
  return body
}

/** A refusal of this kind: its status, its title, and that nobody may keep it. */
export const refusalOf = async (response: Response, kind: Kind): Promise<Record<string, unknown>> => {
  const problem = await problemOf(response)
  expect(problem).toMatchObject({ type: `/problems/${kind}`, status: kinds[kind][0], title: kinds[kind][1] })
  expect(response.headers.get("Cache-Control")).toBe("no-store")
  expect(response.headers.get("X-Content-Type-Options")).toBe("nosniff")
  return problem
}

const noMemory = { entries: 0, bytes: 0, capacityBytes: 0, hits: 0, misses: 0, evictions: 0, rejections: 0 }

const noReads = {
  reads: 0,
  answered: { static: 0, memory: 0, edge: 0, durable: 0, kv: 0, loader: 0 },
  byCollection: {},
  stale: 0,
  grace: 0,
  edgeSkipped: 0,
  edgeBreaker: "closed" as const,
  overtaken: 0,
  earlyRefreshes: 0
}
