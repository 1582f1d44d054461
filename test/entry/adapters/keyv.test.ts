import keyvTestSuite, { keyvIteratorTests } from "@keyv/test-suite"
import Keyv from "keyv"
import * as vitest from "vitest"
import { keyvStore } from "../../../src/entry/adapters/keyv.ts"
import { useLocalNamespace } from "../../support/facade/localNamespace.ts"

const namespace = useLocalNamespace()
const store = () => keyvStore(namespace.kv())

vitest.describe("Keyv's own suite", () => {
  keyvTestSuite(vitest as never, Keyv, store)
  keyvIteratorTests(vitest as never, Keyv, store)
})

vitest.describe("a store for Keyv", () => {
  vitest.it("reads many in one call for each hundred, and clears only its own namespace", async () => {
    const [a, b] = ["a", "b"].map((namespace) => new Keyv({ store: store(), namespace }))
    const keys = Array.from({ length: 120 }, (_, at) => `k${at}`)
    await Promise.all(keys.map((key) => a!.set(key, key)))
    await b!.set("k0", "kept")
    vitest.expect(await a!.get(keys)).toEqual(keys)
    await a!.clear()
    vitest.expect(await a!.get("k0")).toBe(undefined)
    vitest.expect(await b!.get("k0")).toBe("kept")
  })
})
