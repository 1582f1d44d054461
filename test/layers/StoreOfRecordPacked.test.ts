import * as Effect from "effect/Effect"
import * as KvMemory from "../../src/layers/KvMemory.ts"
import * as StoreOfRecordKv from "../../src/layers/StoreOfRecordKv.ts"
import { define } from "../../src/services/Collection.ts"
import { defaults } from "../../src/services/Settings.ts"
import { contract } from "../contracts/StoreOfRecord.ts"

const packed = (name: string) => [name, define(name, { packed: true, jitter: 0 })] as const

contract(
  "StoreOfRecordKv of packed collections",
  () =>
    Effect.sync(() =>
      StoreOfRecordKv.make(KvMemory.make(), { ...defaults, collections: new Map([packed("default"), packed("notes")]) })
    ),
  { runs: 40 }
)
