/** Writes the OpenAPI documents that static assets serve. A test tells when they are not what this writes. */
import { writeFileSync } from "node:fs"
import { fileURLToPath } from "node:url"
import { api, coreApi } from "../src/entry/api.ts"
import { documentText } from "./api/document.ts"

/** Texts of the files, by path from here: of worker.ts, and of core.ts. */
export const documents: Readonly<Record<string, () => string>> = {
  "../public/openapi.json": () => documentText(api),
  "../public/openapi-core.json": () => documentText(coreApi)
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  for (const [path, text] of Object.entries(documents)) writeFileSync(new URL(path, import.meta.url), text())
}
