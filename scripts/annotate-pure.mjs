import { readFile } from "node:fs/promises"

/**
 * Top-level calls of our own modules that make a value and do nothing else: a tag, a layer, an error's class, a
 * collection. Marked as such, they leave a bundle that does not use them.
 */
const makers = /(?<=(?:=|extends)\s*)(?=(?:Context|Data|Layer|Effect|Schema|Duration)\.\w+[(<])/g

/** For esbuild: annotates the modules of src before they are bundled. */
export const annotatePure = {
  name: "annotate-pure",
  setup(build) {
    build.onLoad({ filter: /[\\/]src[\\/].*\.ts$/ }, async ({ path }) => ({
      contents: (await readFile(path, "utf8")).replace(/^(?:export )?(?:const|class) .*$/gm, (line) =>
        line.replace(makers, "/* @__PURE__ */ ")
      ),
      loader: "ts"
    }))
  }
}
