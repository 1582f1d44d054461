import { storeContract } from "../../contracts/store/Store.ts"
import { kvMode, kvModeBatching } from "../../support/worlds.ts"

storeContract("StoreKv of packed collections", kvMode, { packed: true })
storeContract("StoreKv of packed collections that memory does not hold", kvModeBatching, { packed: true, memoryTtl: 0 })
