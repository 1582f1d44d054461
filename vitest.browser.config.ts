import { defineConfig } from "vitest/config"

/** The pages in Debian's chromium, against `npm start` itself. */
export default defineConfig({
  test: { include: ["test/browser/**/*.test.ts"], testTimeout: 60_000, hookTimeout: 120_000 }
})
