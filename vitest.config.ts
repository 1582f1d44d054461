import { availableParallelism } from "node:os"
import { defineWorkersProject } from "@cloudflare/vitest-pool-workers/config"
import { defineConfig, defineProject } from "vitest/config"
import { quieten } from "./test/quiet.ts"

// Nothing here may wait for the network.
process.env.CLOUDFLARE_CF_FETCH_ENABLED ??= "false"
process.env.WRANGLER_SEND_METRICS ??= "false"

quieten()

const threads = availableParallelism()

/** Of the soak, for test/soakWorkerd.ts. */
const { TEST_SEED, TEST_SOAK } = process.env

/**
 * `*.test.ts` runs in Node, `*.worker.test.ts` inside workerd. The files of Node share one module graph for each core:
 * loading it anew for every file takes longer than the tests. A test that changes what its process shares, such as the
 * time zone, does it in a process of its own.
 */
export default defineConfig({
  test: {
    silent: "passed-only",
    poolOptions: { threads: { isolate: false, minThreads: threads, maxThreads: threads } },
    projects: [
      defineProject({
        test: {
          name: "node",
          include: ["test/**/*.test.ts"],
          setupFiles: ["test/setup.ts"],
          exclude: ["test/**/*.worker.test.ts", "test/browser/**"],
          pool: "threads",
          testTimeout: 300_000,
          hookTimeout: 300_000
        }
      }),
      defineWorkersProject({
        test: {
          name: "workerd",
          include: ["test/**/*.worker.test.ts"],
          provide: { soak: { ...(TEST_SEED && { TEST_SEED }), ...(TEST_SOAK && { TEST_SOAK }) } },
          setupFiles: ["test/soakWorkerd.ts", "test/setup.ts"],
          testTimeout: 300_000,
          hookTimeout: 300_000,
          poolOptions: {
            workers: {
              main: "./src/entry/worker.ts",
              singleWorker: true,
              isolatedStorage: false,
              wrangler: { configPath: "./wrangler.toml" },
              miniflare: { bindings: { API_KEYS: "test", MARKET_SOURCE: "sample" } }
            }
          }
        }
      })
    ]
  }
})
