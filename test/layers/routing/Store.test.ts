import * as EdgeCacheMemory from "../../../src/layers/tiers/EdgeCacheMemory.ts"
import { storeContract } from "../../contracts/store/Store.ts"
import { directMode, durableMode, kvMode, kvModeWithEdge } from "../../support/worlds.ts"

storeContract("StoreDirect", directMode)
storeContract("StoreKv", kvMode)
storeContract("StoreKv with an edge cache", kvModeWithEdge)
storeContract("StoreKv with a memory of one entry", () => kvMode({ memoryBytes: 800 }))
storeContract("StoreDurable", durableMode)
storeContract("StoreDurable over three shards, with an edge cache", () =>
  durableMode({ shards: 3, edge: EdgeCacheMemory.layer })
)
storeContract("StoreDurable with a memory of one entry", () => durableMode({ memoryBytes: 800 }))
