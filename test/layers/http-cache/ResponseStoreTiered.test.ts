import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as EdgeResponsesMemory from "../../../src/layers/http-cache/EdgeResponsesMemory.ts"
import * as EdgeResponsesOff from "../../../src/layers/http-cache/EdgeResponsesOff.ts"
import * as ResponseStoreTiered from "../../../src/layers/http-cache/ResponseStoreTiered.ts"
import * as MemoryTierOff from "../../../src/layers/tiers/MemoryTierOff.ts"
import * as MemoryTierTinyLfu from "../../../src/layers/tiers/MemoryTierTinyLfu.ts"
import { EdgeResponses, EdgeResponsesError } from "../../../src/services/http-cache/EdgeResponses.ts"
import { defaultPolicy } from "../../../src/services/http-cache/model/HttpCachePolicy.ts"
import { responseStoreContract } from "../../contracts/http-cache/ResponseStore.ts"

const failing = Layer.succeed(EdgeResponses, {
  match: () => Effect.fail(new EdgeResponsesError({ operation: "match", reason: "Unavailable" })),
  put: () => Effect.fail(new EdgeResponsesError({ operation: "put", reason: "Unavailable" })),
  enabled: true
})

const memory = MemoryTierTinyLfu.layer(1 << 20)
const store = ResponseStoreTiered.layer({ policy: { ...defaultPolicy, memoryBodyBytes: 1000 }, memoryTtl: 60_000 })

for (const [name, tiers, large] of [
  ["memory alone", [memory, EdgeResponsesOff.layer], false],
  ["memory before an edge", [memory, EdgeResponsesMemory.layer], true],
  ["memory before an edge that fails", [memory, failing], false],
  ["the edge alone", [MemoryTierOff.layer, EdgeResponsesMemory.layer], true]
] as const) {
  responseStoreContract(name, store.pipe(Layer.provide(Layer.mergeAll(...tiers))), { large })
}
