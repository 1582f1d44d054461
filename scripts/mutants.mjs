// `npm run test:mutants -- src/layers/tiers`: changes the folder's code in small ways, one at a time, and tells which
// changes no test notices. More than one folder or file, and options of Stryker, may be given. Properties run a fifth
// as often as in `npm test`: who lets a mutant live here is seen by few runs, too. See docs/testing.md.
import { spawnSync } from "node:child_process"
import { existsSync, statSync } from "node:fs"

const given = process.argv.slice(2)
const places = given.filter((argument) => existsSync(argument))
const options = given.filter((argument) => !places.includes(argument))
if (places.length === 0) {
  console.error("Say which folder or file: npm run test:mutants -- src/layers/tiers")
  process.exit(2)
}
const mutate = places.map((place) => (statSync(place).isDirectory() ? `${place.replace(/\/$/, "")}/**/*.ts` : place))
const { status } = spawnSync("stryker", ["run", "--mutate", mutate.join(","), ...options], {
  stdio: "inherit",
  env: { ...process.env, TEST_SOAK: process.env.TEST_SOAK ?? "0.2" }
})
process.exit(status ?? 1)
