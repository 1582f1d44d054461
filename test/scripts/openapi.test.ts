import { readFileSync } from "node:fs"
import { describe, expect, it } from "vitest"
import { documents } from "../../scripts/openapi.ts"

describe("the OpenAPI documents", () => {
  for (const [path, text] of Object.entries(documents)) {
    it(`${path.split("/").at(-1)} is what \`npm run openapi\` writes`, () => {
      expect(readFileSync(new URL(`../../scripts/${path}`, import.meta.url), "utf8")).toBe(text())
    })
  }

  it("of the cache alone have no route of an application", () => {
    const { paths } = JSON.parse(readFileSync("public/openapi-core.json", "utf8")) as { paths: object }
    expect(Object.keys(paths)).toContain("/api/v1/cache/{collection}/{key}")
    expect(Object.keys(paths).filter((path) => /quotes|alerts|sectors|report/.test(path))).toStrictEqual([])
  })
})
