import { execFileSync } from "node:child_process"
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs"
import { createRequire } from "node:module"
import { tmpdir } from "node:os"
import { dirname, join, resolve } from "node:path"
import { afterAll, describe, expect, it } from "vitest"

interface End {
  readonly path?: string
  readonly pathNot?: string | ReadonlyArray<string>
}

interface Rule {
  readonly name: string
  readonly from: End & { readonly orphan?: boolean }
  readonly to: End & { readonly circular?: boolean }
}

const require = createRequire(import.meta.url)
const { forbidden } = require("../../.dependency-cruiser.cjs") as { readonly forbidden: ReadonlyArray<Rule> }
const rooms = require("../../scripts/rooms.cjs") as Readonly<Record<string, ReadonlyArray<string>>>

const files = readdirSync("src", { recursive: true, encoding: "utf8" })
  .filter((name) => name.endsWith(".ts"))
  .map((name) => join("src", name))

describe("src", () => {
  it("has at most 20 files in a folder, and 300 lines in a file", () => {
    const folders = new Map<string, number>()
    for (const file of files) folders.set(dirname(file), (folders.get(dirname(file)) ?? 0) + 1)
    expect([...folders].filter(([, count]) => count > 20)).toStrictEqual([])
    const lines = (file: string) => readFileSync(file, "utf8").trimEnd().split("\n").length
    expect(files.filter((file) => lines(file) > 300)).toStrictEqual([])
  })
})

const listOf = (paths: End["pathNot"]): ReadonlyArray<string> =>
  paths === undefined ? [] : typeof paths === "string" ? [paths] : paths

describe("the table of rooms", () => {
  it("names every room of src, and no other", () => {
    const there = new Set(
      ["services", "layers", "programs"].flatMap((floor) =>
        readdirSync(join("src", floor), { withFileTypes: true }).flatMap((it) => (it.isDirectory() ? [it.name] : []))
      )
    )
    expect(new Set(Object.keys(rooms))).toStrictEqual(there)
  })

  it("lets a room import only rooms above it, so that there is no circle", () => {
    const above = new Set<string>()
    for (const [room, imports] of Object.entries(rooms)) {
      for (const other of imports) expect(above, `${room} imports ${other}`).toContain(other)
      above.add(room)
    }
  })
})

describe("the dependency rules", () => {
  it("name files that there are, also where they make an exception", () => {
    for (const { from, name, to } of forbidden) {
      if (from.path !== undefined)
        expect(
          files.some((file) => new RegExp(from.path!).test(file)),
          name
        ).toBe(true)
      for (const exception of [...listOf(from.pathNot), ...listOf(to.pathNot)]) {
        if (exception.includes("$1")) continue
        expect(
          files.some((file) => new RegExp(exception).test(file)),
          `${name}: ${exception}`
        ).toBe(true)
      }
    }
  })
})

/** A tree in which every rule is broken once: files by what they import. */
const broken: Readonly<Record<string, ReadonlyArray<string>>> = {
  "src/services/base/a.ts": ["../../layers/base/b", "../kv/Kv", "../../layers/kv/Kv"],
  "src/services/kv/Kv.ts": ["cloudflare:workers"],
  "src/layers/base/b.ts": ["../../programs/base/c", "../kv/internal/d"],
  "src/layers/kv/Kv.ts": [],
  "src/layers/kv/internal/d.ts": ["csv-parse"],
  "src/programs/base/c.ts": ["../../layers/kv/Kv", "../../services/kv/Kv", "./e"],
  "src/programs/base/e.ts": ["./c"],
  "src/programs/base/index.ts": [],
  "src/programs/base/alone.ts": [],
  "src/programs/base/f.ts": ["./index"],
  "src/entry/http.ts": ["./market/g"],
  "src/entry/market/g.ts": [],
  ...Object.fromEntries(Object.keys(rooms).map((room) => [`src/services/${room}/high.ts`, ["../zzz/top"]])),
  "src/services/zzz/top.ts": []
}

const made: Array<string> = []

afterAll(() => {
  for (const directory of made) rmSync(directory, { recursive: true, force: true })
})

it("every dependency rule can fail", () => {
  const directory = mkdtempSync(join(tmpdir(), "larder-rules-"))
  made.push(directory)
  for (const [path, imports] of Object.entries(broken)) {
    const file = join(directory, path)
    mkdirSync(dirname(file), { recursive: true })
    const lines = imports.map((to, index) => `import * as i${index} from "${to.startsWith(".") ? `${to}.ts` : to}"`)
    writeFileSync(file, `${lines.join("\n")}\nexport const use = [${imports.map((_, index) => `i${index}`).join()}]\n`)
  }
  writeFileSync(join(directory, "tsconfig.json"), "{}")
  symlinkSync(resolve("node_modules"), join(directory, "node_modules"))
  const cruiser = resolve("node_modules/dependency-cruiser/bin/dependency-cruise.mjs")
  const config = resolve(".dependency-cruiser.cjs")
  let output: string
  try {
    output = execFileSync(process.execPath, [cruiser, "--config", config, "--output-type", "json", "src"], {
      cwd: directory,
      encoding: "utf8",
      maxBuffer: 1 << 28
    })
  } catch (error) {
    output = (error as { readonly stdout: string }).stdout
  }
  const { summary } = JSON.parse(output) as {
    readonly summary: { readonly violations: ReadonlyArray<{ readonly rule: { readonly name: string } }> }
  }
  const violated = new Set(summary.violations.map(({ rule }) => rule.name))
  expect(forbidden.map(({ name }) => name).filter((name) => !violated.has(name))).toStrictEqual([])
})
