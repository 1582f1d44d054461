import * as fc from "effect/FastCheck"
import { runs, seedOr } from "./support/runs.ts"

fc.configureGlobal({
  // By default fast-check makes nothing longer than some 10 elements, whatever `maxLength` says.
  defaultSizeToMaxWhenMaxSpecified: true,
  numRuns: runs(100),
  // Every change is judged by the same inputs; `npm run test:soak` draws new ones.
  seed: seedOr(20_261_127)
})
