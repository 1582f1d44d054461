// `npm run test:mutants -- src/layers/tiers`: changes the folder's code in small ways, one at a time, and tells which
// changes the tests of its room do not notice. More than one folder or file may be given, and options of Stryker;
// `--all-tests`: with every test that reaches the code. See docs/testing.md.
import { spawnSync } from "node:child_process"
import { existsSync, statSync } from "node:fs"

const given = process.argv.slice(2)
const places = given.filter((argument) => existsSync(argument))
const options = given.filter((argument) => !places.includes(argument) && argument !== "--all-tests")
if (places.length === 0) {
  console.error("Say which folder or file: npm run test:mutants -- src/layers/tiers")
  process.exit(2)
}
const mutate = places.map((place) => (statSync(place).isDirectory() ? `${place.replace(/\/$/, "")}/**/*.ts` : place))
/** A room's name is the second part of a path under src: src/layers/tiers/internal/flights.ts is of `tiers`. */
const rooms = new Set(places.map((place) => place.split("/")[2]))
const tests = [...rooms].map((room) => `test/*/${room}/**/*.test.ts`).join(",")
const { status } = spawnSync(
  "stryker",
  ["run", "--mutate", mutate.join(","), ...(given.includes("--all-tests") ? [] : ["--testFiles", tests]), ...options],
  // A fifth of the runs: a change that only many runs see is seen by luck.
  { stdio: "inherit", env: { ...process.env, TEST_SOAK: process.env.TEST_SOAK ?? "0.2" } }
)
process.exit(status ?? 1)
