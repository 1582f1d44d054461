// The long runs of `npm run test:soak`: every test file whose properties take their counts from test/support/runs.ts,
// with TEST_SOAK (10) times as many runs, from another seed: TEST_SEED, or a new one.
// Names of test files or folders, as vitest takes them, choose fewer, those inside workerd (*.worker.test.ts) among them.
import { spawnSync } from "node:child_process"
import { existsSync, readdirSync, readFileSync } from "node:fs"
import { dirname, join, normalize } from "node:path"

const counts = "test/support/runs.ts"

/** Whether the file, or one of the tests' own that it imports, asks for counts. */
const asks = (file, seen = new Set()) => {
  if (file === counts) return true
  if (seen.has(file) || !file.startsWith("test/") || !existsSync(file)) return false
  seen.add(file)
  const imports = [...readFileSync(file, "utf8").matchAll(/from "(\.[^"]+)"/g)].map(([, path]) => path)
  return imports.some((path) => asks(normalize(join(dirname(file), path)), seen))
}

const tests = () =>
  readdirSync("test", { recursive: true })
    .map((file) => `test/${file}`)
    .filter((file) => file.endsWith(".test.ts"))

const chosen = process.argv.slice(2)
const files = chosen.length > 0 ? chosen : tests().filter((file) => asks(file))
const { TEST_SEED = String(Math.floor(Math.random() * 2 ** 31)), TEST_SOAK = "10" } = process.env
console.log(`TEST_SOAK=${TEST_SOAK} TEST_SEED=${TEST_SEED}`)
const where = chosen.length > 0 ? [] : ["--project", "node"]
const { status } = spawnSync("vitest", ["run", ...where, ...files], {
  stdio: "inherit",
  env: { ...process.env, TEST_SEED, TEST_SOAK }
})
process.exit(status ?? 1)
