import { expect, it } from "vitest"
import { makeFilter } from "./quiet.ts"

it("leaves out what the test pool says of itself, with the lines that continue it, and nothing else", () => {
  const filter = makeFilter()
  const lines = [
    "[vpw:debug] Shutting down runtimes...\n",
    " ✓ a test\n",
    "workerd/io/worker.c++:2441: info: uncaught exception; src/entry/worker.ts changed, invalidating this Durable Object.\n",
    "    at test-internal.mjs:542:15\n",
    "stack: workerd@3356bd7\n",
    "Error: a bug\n",
    "    at src/entry/worker.ts:1:1\n"
  ]
  expect(filter(lines.join(""))).toBe(" ✓ a test\nError: a bug\n    at src/entry/worker.ts:1:1\n")
  expect(filter("stack: of something else\n")).toBe("stack: of something else\n")
})
