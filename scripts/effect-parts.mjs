// What of Effect nothing here calls, though a bundler cannot tell: plugins of esbuild for what holds Effect inside.

/** Effect's fiber can run an effect of its small sibling, of which there is none in here: 3 KiB gzip. */
export const withoutMicro = {
  name: "without Micro",
  setup: (building) =>
    building.onLoad({ filter: /[\\/]effect[\\/]dist[\\/]esm[\\/]Micro\.js$/ }, () => ({
      contents:
        "export const runFork = () => { throw new Error('a Micro effect') }\nexport const provideContext = runFork"
    }))
}

/** Variables are read as settings, without Effect's configuration: 3 KiB gzip. */
export const withoutConfiguration = {
  name: "without Effect's configuration",
  setup: (building) =>
    building.onLoad({ filter: /[\\/]effect[\\/]dist[\\/]esm[\\/]internal[\\/]configProvider\.js$/ }, () => ({
      contents: `import * as Context from "../Context.js"
export const configProviderTag = /* @__PURE__ */ Context.GenericTag("effect/ConfigProvider")
export const fromEnv = () => ({ load: () => { throw new Error("no configuration") } })`
    }))
}

/** Effect counts fibers in metrics of its own, which nobody reads here: what Larder counts, its monitor does. 4 KiB gzip. */
export const withoutMetrics = {
  name: "without metrics of fibers",
  setup: (building) =>
    building.onLoad({ filter: /[\\/]effect[\\/]dist[\\/]esm[\\/]internal[\\/]metric\.js$/ }, () => ({
      contents: `const uncounted = { unsafeUpdate: () => {} }
export const counter = () => uncounted
export const histogram = () => uncounted
export const tagged = (metric) => metric`
    }))
}
