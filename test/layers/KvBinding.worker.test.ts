import { env } from "cloudflare:test"
import * as KvBinding from "../../src/layers/KvBinding.ts"
import { contract } from "../contracts/Kv.ts"

contract("KvBinding", () => KvBinding.make((env as { readonly CACHE_KV: KVNamespace }).CACHE_KV), { runs: 25 })
