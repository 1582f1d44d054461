import { readFile } from "node:fs/promises"

/**
 * Calls that make a value and do nothing else: a tag, a layer, an error's class, a duration, an effect that is not run.
 * Marked as such, they leave a bundle that does not use them.
 */
const makers = /(?<![\w$.])(?=(?:Context|Data|Duration|Effect|Layer|Schema)\.(?!run|unsafe)\w+[(<])/g

/** For esbuild: annotates the modules of src before they are bundled. */
export const annotatePure = {
  name: "annotate-pure",
  setup(build) {
    build.onLoad({ filter: /[\\/]src[\\/].*\.ts$/ }, async ({ path }) => ({
      contents: (await readFile(path, "utf8")).replace(/^(?!import|\s*(?:\/?\*|\/\/)).*$/gm, (line) =>
        line.replace(makers, "/* @__PURE__ */ ")
      ),
      loader: "ts"
    }))
  }
}
