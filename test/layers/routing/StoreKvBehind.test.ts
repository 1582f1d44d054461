import { storeContract } from "../../contracts/store/Store.ts"
import { kvModeBatching } from "../../support/worlds.ts"

storeContract("StoreKv with the batcher", kvModeBatching)
storeContract("StoreKv of collections written behind", kvModeBatching, { write: "behind" })
storeContract("StoreKv of packed collections written behind", kvModeBatching, { write: "behind", packed: true })
