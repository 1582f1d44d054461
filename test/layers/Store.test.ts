import { storeContract } from "../contracts/Store.ts"
import { directMode, kvMode, kvModeWithEdge } from "../support/worlds.ts"

storeContract("StoreDirect", directMode)
storeContract("StoreKv", kvMode)
storeContract("StoreKv with an edge cache", kvModeWithEdge)
storeContract("StoreKv with a memory of one entry", () => kvMode({ memoryBytes: 800 }))
