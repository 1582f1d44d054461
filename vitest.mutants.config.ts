import { defineConfig } from "vitest/config"

/**
 * For Stryker: the tests that run in this process and fast. Left out are those that start a workerd or a command of
 * their own, which never see its mutants, and those that replay whole days.
 */
export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    exclude: [
      "test/**/*.worker.test.ts",
      "test/browser/**",
      "test/docs/**",
      "test/examples/**",
      "test/scripts/**",
      "test/entry/{durable,migration,replay}/**",
      "test/layers/durable/{DurableCacheBinding,ShardSqlite}.test.ts",
      "test/layers/routing/overlap.test.ts"
    ],
    setupFiles: ["test/setup.ts"],
    pool: "threads",
    poolOptions: { threads: { isolate: false } },
    testTimeout: 300_000,
    hookTimeout: 300_000
  }
})
