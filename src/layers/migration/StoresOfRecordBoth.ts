import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { DurableCache } from "../../services/durable/DurableCache.ts"
import { RecordedTopology } from "../../services/durable/RecordedTopology.ts"
import { Kv } from "../../services/kv/Kv.ts"
import { ModeHeartbeat } from "../../services/migration/ModeHeartbeat.ts"
import { RecordedMode } from "../../services/migration/RecordedMode.ts"
import { StoresOfRecord } from "../../services/migration/StoresOfRecord.ts"
import { Settings } from "../../services/settings/Settings.ts"
import { Outbox } from "../../services/snapshots/Outbox.ts"
import { Snapshots } from "../../services/snapshots/Snapshots.ts"
import * as StoreOfRecordDurable from "./StoreOfRecordDurable.ts"
import * as StoreOfRecordKv from "./StoreOfRecordKv.ts"
import * as StoreOfRecordSnapshot from "./StoreOfRecordSnapshot.ts"

/**
 * The namespace of the KV mode beside the objects of the durable mode. Outbox, snapshots and the recorded mode lie in
 * the objects' own namespace.
 */
export const layer: Layer.Layer<
  StoresOfRecord,
  never,
  Kv | DurableCache | Snapshots | Outbox | RecordedMode | ModeHeartbeat | Settings
> = Layer.effect(
  StoresOfRecord,
  Effect.gen(function* () {
    const kv = yield* Kv
    const durable = yield* DurableCache
    const snapshots = yield* Snapshots
    const outbox = yield* Outbox
    const recorded = yield* RecordedMode
    const heartbeat = yield* ModeHeartbeat
    const settings = yield* Settings
    const topology = yield* RecordedTopology
    const isPacked = (id: string): boolean =>
      settings.collections.get(id.slice(0, id.indexOf("/")))?.policy.packed ?? false
    return {
      open: Effect.map(StoreOfRecordSnapshot.make(snapshots, outbox, settings.shards, topology), (snapshot) => ({
        kv: StoreOfRecordKv.make(kv, settings),
        durable: StoreOfRecordDurable.make(durable, snapshots, settings.shards, topology, isPacked),
        snapshot
      })),
      recorded,
      heartbeat
    }
  })
)
