import { build } from "esbuild"
import { Miniflare } from "miniflare"

/** A Worker of the test's own, bundled once and run in a workerd of its own: every instance is a cold isolate. */
export const bundle = async (entry: URL): Promise<string> => {
  const result = await build({
    entryPoints: [entry.pathname],
    bundle: true,
    format: "esm",
    platform: "neutral",
    mainFields: ["module", "main"],
    conditions: ["workerd", "worker", "import"],
    external: ["node:*", "cloudflare:*"],
    target: "es2023",
    write: false
  })
  return result.outputFiles[0]!.text
}

/** A Worker of one module, under the compatibility date of wrangler.toml. */
export const moduleOf = (script: string) => ({
  modules: true,
  script,
  compatibilityDate: "2026-03-01",
  compatibilityFlags: ["nodejs_compat"]
})

export const start = (
  script: string,
  bindings: Record<string, string> = {},
  objects: {
    readonly durableObjects?: Record<string, { readonly className: string; readonly useSQLite: boolean }>
    readonly durableObjectsPersist?: string
    readonly kvNamespaces?: ReadonlyArray<string>
    readonly kvPersist?: string
  } = {}
): Miniflare =>
  new Miniflare({
    ...moduleOf(script),
    bindings,
    cf: false,
    ...objects,
    kvNamespaces: [...(objects.kvNamespaces ?? ["CACHE_KV"])]
  })
