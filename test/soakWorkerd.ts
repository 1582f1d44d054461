import { inject } from "vitest"

declare module "vitest" {
  interface ProvidedContext {
    readonly soak: { readonly TEST_SEED?: string; readonly TEST_SOAK?: string }
  }
}

Object.assign(globalThis, { soakEnvironment: inject("soak") })
