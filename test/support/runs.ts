/**
 * How many times a property runs: `quick` times in `npm test`, and `TEST_SOAK` times as often where that is set, as
 * `npm run test:soak` does.
 */
export const runs = (quick: number): number => Math.ceil(quick * soak)

const soak = Number(process.env.TEST_SOAK ?? 1)

/** The seed of properties: `TEST_SEED`, or in `npm test`, where every change is judged by the same inputs, `usual`. */
export const seedOr = (usual: number): number => Number(process.env.TEST_SEED ?? usual)
