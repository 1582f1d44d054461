import { defineWorkersProject } from "@cloudflare/vitest-pool-workers/config"
import { defineConfig, defineProject } from "vitest/config"

// Nothing here may wait for the network.
process.env.CLOUDFLARE_CF_FETCH_ENABLED ??= "false"
process.env.WRANGLER_SEND_METRICS ??= "false"

/** `*.test.ts` runs in Node, `*.worker.test.ts` inside workerd. */
export default defineConfig({
  test: {
    projects: [
      defineProject({
        test: {
          name: "node",
          include: ["test/**/*.test.ts"],
          exclude: ["test/**/*.worker.test.ts", "test/browser/**"],
          testTimeout: 60_000,
          hookTimeout: 60_000
        }
      }),
      defineWorkersProject({
        test: {
          name: "workerd",
          include: ["test/**/*.worker.test.ts"],
          testTimeout: 60_000,
          hookTimeout: 60_000,
          poolOptions: {
            workers: {
              main: "./src/entry/worker.ts",
              singleWorker: true,
              isolatedStorage: false,
              wrangler: { configPath: "./wrangler.toml" },
              miniflare: { bindings: { API_KEYS: "test" } }
            }
          }
        }
      })
    ]
  }
})
