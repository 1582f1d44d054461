// Plugins of esbuild that leave out what nothing reads or calls, though a bundler cannot tell.
import { readFile } from "node:fs/promises"

/** A string literal of a source, as a regular expression. */
export const text = String.raw`"(?:[^"\\]|\\.)*"`

const documented = new RegExp(String.raw`\bdocumentation:\s*${text}`, "g")

const isOfSettings = /[\\/]services[\\/][\w-]+[\\/]\w*Settings\.ts$/

const undocumented = async (path) => {
  const source = await readFile(path, "utf8")
  return isOfSettings.test(path) ? source.replace(documented, 'documentation: ""') : source
}

/** What settings are for is told by the routes of monitoring alone. */
export const withoutDocumentation = {
  name: "without documentation",
  setup: (building) =>
    building.onLoad({ filter: isOfSettings }, async ({ path }) => ({
      contents: await undocumented(path),
      loader: "ts"
    }))
}

/**
 * Calls that make a value and do nothing else: a tag, a layer, an error's class, a duration, an effect that is not run.
 * Marked as such, they leave a bundle that does not use them.
 */
const makers = /(?<![\w$.])(?=(?:Context|Data|Duration|Effect|Layer|Schema)\.(?!run|unsafe)\w+[(<])/g

/** The modules of src as the package has them: without documentation, and marked so that unused values leave a bundle. */
export const asPackaged = {
  name: "as packaged",
  setup: (building) =>
    building.onLoad({ filter: /[\\/]src[\\/].*\.ts$/ }, async ({ path }) => ({
      contents: (await undocumented(path)).replace(/^(?!import|\s*(?:\/?\*|\/\/)).*$/gm, (line) =>
        line.replace(makers, "/* @__PURE__ */ ")
      ),
      loader: "ts"
    }))
}

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
