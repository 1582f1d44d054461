import { env } from "cloudflare:test"
import * as KvBinding from "../../../src/layers/kv/KvBinding.ts"
import { contract } from "../../contracts/kv/Kv.ts"

contract("KvBinding", () => KvBinding.make((env as { readonly CACHE_KV: KVNamespace }).CACHE_KV), { runs: 25 })
