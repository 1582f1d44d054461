/** Writes the OpenAPI documents and the pages of the problems, which static assets serve. A test tells when they are not current. */
import { writeFileSync } from "node:fs"
import { fileURLToPath } from "node:url"
import { api, coreApi } from "../src/entry/api.ts"
import { documentText } from "./api/document.ts"
import { problemPages } from "./api/problems.ts"

/** Texts of the files, by path from here. */
export const documents: Readonly<Record<string, () => string>> = {
  "../public/openapi.json": () => documentText(api),
  "../public/openapi-core.json": () => documentText(coreApi),
  ...Object.fromEntries(Object.entries(problemPages).map(([name, text]) => [`../public/problems/${name}`, text]))
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  for (const [path, text] of Object.entries(documents)) writeFileSync(new URL(path, import.meta.url), text())
}
