import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import type { Miniflare } from "miniflare"
import { afterAll, beforeAll, expect } from "vitest"
import { bundled, deployed } from "./deployed.ts"

/** Asks its API. */
export const askAt = (base: URL, method: string, path: string, body?: string, type = "text/plain"): Promise<Response> =>
  fetch(new URL(`/api/v1/${path}`, base), {
    method,
    headers: { "X-API-KEY": "test", ...(body === undefined ? {} : { "Content-Type": type }) },
    ...(body === undefined ? {} : { body })
  })

/** Runs the cron that is due every five minutes. */
export const runCron = async (worker: Miniflare): Promise<void> => {
  const { scheduled } = (await worker.getWorker()) as unknown as {
    scheduled: (options: { cron: string }) => Promise<{ outcome: string }>
  }
  expect(await scheduled({ cron: "*/5 * * * *" })).toMatchObject({ outcome: "ok" })
}

/** For one test file: deployments one after the other, each a cold isolate over what those before it have left on disk. */
export const deployments = () => {
  let script: string
  let directory: string
  let worker: Miniflare | undefined
  let base: URL

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), "larder-"))
    script = await bundled()
  })

  afterAll(async () => {
    await worker?.dispose()
    await rm(directory, { recursive: true })
  })

  const ask = (method: string, path: string, body?: string, type?: string) => askAt(base, method, path, body, type)

  return {
    deploy: async (variables: Record<string, string>): Promise<void> => {
      await worker?.dispose()
      worker = deployed(script, variables, directory)
      base = await worker.ready
    },
    ask,
    /** Puts an entry into the collection `default`. */
    put: async (key: string, value: string, query = ""): Promise<void> => {
      expect((await ask("PUT", `cache/default/${key}${query}`, value)).ok).toBe(true)
    },
    cron: () => runCron(worker!)
  }
}
