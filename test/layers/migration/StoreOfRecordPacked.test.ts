import * as Effect from "effect/Effect"
import * as KvMemory from "../../../src/layers/kv/KvMemory.ts"
import * as StoreOfRecordKv from "../../../src/layers/migration/StoreOfRecordKv.ts"
import { defaults } from "../../../src/services/settings/Settings.ts"
import { define } from "../../../src/services/store/model/Collection.ts"
import { contract } from "../../contracts/migration/StoreOfRecord.ts"
import { runs } from "../../support/runs.ts"

const packed = (name: string) => [name, define(name, { packed: true, jitter: 0 })] as const

contract(
  "StoreOfRecordKv of packed collections",
  () =>
    Effect.sync(() =>
      StoreOfRecordKv.make(KvMemory.make(), { ...defaults, collections: new Map([packed("default"), packed("notes")]) })
    ),
  { runs: runs(40) }
)
