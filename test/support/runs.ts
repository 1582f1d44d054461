/** What `npm test` runs of a count, so that it takes minutes: continuous integration runs all of it, the soak ten times. */
const quick = 0.15

/** Inside workerd the environment is empty: test/soakWorkerd.ts brings there what the soak says. */
const environment = (globalThis as { readonly soakEnvironment?: NodeJS.ProcessEnv }).soakEnvironment ?? process.env

const soak = Number(environment.TEST_SOAK ?? quick)

/** How many times a property runs: `times`, times `TEST_SOAK` where that is set, and fewer in `npm test`. */
export const runs = (times: number): number => Math.ceil(times * soak)

/** The seed of properties: `TEST_SEED`, or in `npm test`, where every change is judged by the same inputs, `usual`. */
export const seedOr = (usual: number): number => Number(environment.TEST_SEED ?? usual)
