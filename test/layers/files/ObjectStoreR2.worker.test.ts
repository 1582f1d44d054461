import { env } from "cloudflare:test"
import * as CompressionZlib from "../../../src/layers/compression/CompressionZlib.ts"
import * as ObjectStoreR2 from "../../../src/layers/files/ObjectStoreR2.ts"
import { objectStoreContract } from "../../contracts/files/ObjectStore.ts"

const { FILES } = env as unknown as { readonly FILES: R2Bucket }

objectStoreContract("R2", () => ObjectStoreR2.make(FILES, CompressionZlib.make()))
