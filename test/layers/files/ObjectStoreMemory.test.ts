import * as CompressionZlib from "../../../src/layers/compression/CompressionZlib.ts"
import * as ObjectStoreMemory from "../../../src/layers/files/ObjectStoreMemory.ts"
import { objectStoreContract } from "../../contracts/files/ObjectStore.ts"

objectStoreContract("memory", () => ObjectStoreMemory.make(CompressionZlib.make(), Date.now))
