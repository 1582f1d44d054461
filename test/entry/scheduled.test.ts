import { expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as Scheduled from "../../src/entry/scheduled.ts"
import * as KeyAliasOff from "../../src/layers/aliasing/KeyAliasOff.ts"
import * as BackgroundInline from "../../src/layers/base/BackgroundInline.ts"
import * as DurableCacheOff from "../../src/layers/durable/DurableCacheOff.ts"
import * as KvMemory from "../../src/layers/kv/KvMemory.ts"
import * as SettingsConfig from "../../src/layers/settings/SettingsConfig.ts"
import * as StaticDataBundled from "../../src/layers/static-data/StaticDataBundled.ts"
import { Background } from "../../src/services/base/Background.ts"
import { Ledger } from "../../src/services/ledger/Ledger.ts"
import { StoresOfRecord } from "../../src/services/migration/StoresOfRecord.ts"
import { MemoryTier } from "../../src/services/tiers/MemoryTier.ts"
import { ReadPath } from "../../src/services/tiers/ReadPath.ts"
import { bytes } from "../contracts/kv/kvValues.ts"
import * as Desk from "../support/desk/desk.ts"
import * as ModesWorld from "../support/migration/modesWorld.ts"
import * as ScriptedStore from "../support/store/scriptedStore.ts"

/** A Worker's crons over a world, with what they logged. */
const cronsOf = (world: ModesWorld.World, durableMode: boolean) =>
  Effect.gen(function* () {
    const logged: Array<string> = []
    const services = Layer.mergeAll(
      ScriptedStore.layer(ScriptedStore.script()),
      SettingsConfig.layerOf({ durableMode }),
      StaticDataBundled.layerOf(),
      DurableCacheOff.layer,
      KvMemory.layer,
      KeyAliasOff.layer,
      Layer.succeed(MemoryTier, {} as MemoryTier["Type"]),
      Layer.succeed(ReadPath, {} as ReadPath["Type"]),
      Layer.succeed(Ledger, world.ledger),
      Layer.succeed(StoresOfRecord, world.stores),
      Logger.replace(
        Logger.defaultLogger,
        Logger.make(({ logLevel, message }) => logged.push(`${logLevel.label} ${String(message)}`))
      )
    )
    const background = yield* Effect.provide(Background, BackgroundInline.layer)
    const running = yield* Effect.provide(Desk.running(), Layer.provideMerge(Desk.offered(), services))
    const fire = yield* Effect.provide(
      Scheduled.make(() => running),
      services
    )
    return { logged, fire: (cron: string) => Effect.promise(() => fire(cron, background)) }
  })

const [plain] = ModesWorld.collections

it.live("a cron hands over when the flag was changed, and says what it did", () =>
  Effect.gen(function* () {
    const world = yield* ModesWorld.make()
    yield* (yield* cronsOf(world, true)).fire("*/5 * * * *")
    yield* world.in("durable", (store) => store.set(plain, "a", bytes("1")))
    const { logged, fire } = yield* cronsOf(world, false)
    yield* fire("*/5 * * * *")
    expect((yield* world.namespace.list()).keys.map(({ name }) => name)).toStrictEqual(["a"])
    expect(logged).toStrictEqual([expect.stringMatching(/^INFO the store of the mode in force was brought up to date/)])
    yield* fire("*/5 * * * *")
    expect(logged.length).toBe(1)
  })
)

it.live("a failure is logged, and an unknown cron named", () =>
  Effect.gen(function* () {
    const world = yield* ModesWorld.make()
    yield* world.record({ mode: "kv" })
    world.switches.unreachable = true
    const { logged, fire } = yield* cronsOf(world, true)
    yield* fire("*/5 * * * *")
    yield* fire("0 0 * * *")
    expect(logged).toStrictEqual([
      expect.stringMatching(/^ERROR migrateOnFlagChange failed/),
      expect.stringMatching(/^WARN the cron "0 0 \* \* \*"/)
    ])
  })
)
