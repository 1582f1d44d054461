import { env } from "cloudflare:test"
import * as KvBinding from "../../../src/layers/kv/KvBinding.ts"
import { contract } from "../../contracts/kv/Kv.ts"
import { runs } from "../../support/runs.ts"

contract("KvBinding", () => KvBinding.make((env as { readonly CACHE_KV: KVNamespace }).CACHE_KV), { runs: runs(25) })
