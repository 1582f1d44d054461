import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { parse as parseJsonc } from "jsonc-parser"
import { parse as parseToml } from "smol-toml"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { changesOf, configured, init, undo } from "../../../src/entry/cli/init.ts"

const jsonc = `{
  // the Worker of the shop
  "name": "shop",
  "main": "src/index.ts",
  "compatibility_flags": ["global_fetch_strictly_public"], // kept
  "kv_namespaces": [{ "binding": "KV", "id": "1" }]
}
`
const toml = `# the Worker of the shop
name = "shop"
compatibility_flags = [
  "global_fetch_strictly_public", # kept
]

[[kv_namespaces]]
binding = "KV" # of the shop
id = "1"
`
const other = `name = "shop"

[durable_objects]
bindings = [{ name = "ROOM", class_name = "Room" }]
`

const needs = {
  compatibility_flags: ["global_fetch_strictly_public", "nodejs_compat"],
  durable_objects: { bindings: [{ name: "CACHE_DO", class_name: "CacheDurableObject" }] },
  migrations: [{ tag: "larder-v1", new_sqlite_classes: ["CacheDurableObject"] }]
}

let folder = ""
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "larder-init-"))
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

describe("larder init", () => {
  it("adds what durable mode needs and keeps all comments", () => {
    const json = configured("wrangler.jsonc", jsonc)
    expect(parseJsonc(json)).toMatchObject({ name: "shop", ...needs })
    expect(json).toContain("// the Worker of the shop")
    expect(json).toContain("// kept")
    const text = configured("wrangler.toml", toml)
    expect(parseToml(text)).toMatchObject({
      ...needs,
      compatibility_flags: ["nodejs_compat", "global_fetch_strictly_public"]
    })
    expect(text).toContain("# of the shop")
    expect(text).toContain("# kept")
  })

  it.each([
    ["wrangler.jsonc", jsonc],
    ["wrangler.toml", toml],
    ["wrangler.toml", 'name = "bare"\n'],
    ["wrangler.json", "{}"]
  ])("changes %s once, however often it runs", (file, text) => {
    const once = configured(file, text)
    expect(once).not.toBe(text)
    expect(configured(file, once)).toBe(once)
  })

  it("says so where it cannot edit safely, and changes nothing", () => {
    expect(() => configured("wrangler.toml", other)).toThrow(/by hand|redefine|table/i)
  })

  it("shows the change before it writes, and takes it back to the byte", () => {
    const file = join(folder, "wrangler.toml")
    writeFileSync(file, toml)
    expect(init(file, false).join("\n")).toContain('+ class_name = "CacheDurableObject"')
    expect(readFileSync(file, "utf8")).toBe(toml)
    init(file, true)
    expect(init(file, true)[0]).toContain("nothing was changed")
    undo(file)
    expect(readFileSync(file, "utf8")).toBe(toml)
  })

  it("does not take back over a later change", () => {
    const file = join(folder, "wrangler.jsonc")
    writeFileSync(file, jsonc)
    init(file, true)
    writeFileSync(file, `${readFileSync(file, "utf8")}\n// mine\n`)
    expect(() => undo(file)).toThrow("was changed since")
  })

  it("shows lines that are gone and lines that came", () => {
    expect(changesOf("a\nb\nc", "a\nx\nc")).toEqual(["+ x", "- b"])
  })
})
