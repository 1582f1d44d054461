import { Miniflare } from "miniflare"
import { afterAll, beforeAll } from "vitest"
import { makeFacades } from "../../../src/entry/facade/namespace.ts"

/** A namespace of workerd's own behind Larder's facade, for the tests of one file that run in Node. */
export const useLocalNamespace = () => {
  let miniflare: Miniflare | undefined
  let binding: KVNamespace | undefined
  beforeAll(async () => {
    miniflare = new Miniflare({ modules: true, script: "export default {}", kvNamespaces: ["KV"], cf: false })
    binding = (await miniflare.getKVNamespace("KV")) as unknown as KVNamespace
  })
  afterAll(() => miniflare?.dispose())
  let facade: KVNamespace | undefined
  return {
    /** As the platform has it. */
    plain: () => binding!,
    /** Behind the facade, in one isolate for all tests of the file. */
    kv: (): KVNamespace =>
      (facade ??= makeFacades(1_000_000)
        .facadeOf(binding!, {})
        .during({ waitUntil: (promise) => void promise.catch(() => {}) }))
  }
}
