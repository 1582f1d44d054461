import { env } from "cloudflare:test"
import { beforeAll } from "vitest"
import type { Env } from "../../../src/entry/app.ts"

/**
 * For test files that reach the objects. The pool keeps an object from one file to the next, but not its class: its
 * first call in another file fails, and ends it. This is that call.
 */
export const renewedObject = (name = "shard-0"): void =>
  beforeAll(async () => {
    const object = (env as unknown as Required<Env>).CACHE_DO.getByName(name) as unknown as {
      spend: (day: number, spent: object) => Promise<unknown>
    }
    await object.spend(0, { reads: 0, writes: 0, deletes: 0, lists: 0 }).catch(() => undefined)
  })

/** The same of the object that stands beside the database. */
export const renewedDatabase = (): void =>
  beforeAll(async () => {
    const { DATABASE_DO } = env as unknown as { readonly DATABASE_DO: DurableObjectNamespace }
    const object = DATABASE_DO.getByName("database") as unknown as {
      versions: (tables: ReadonlyArray<string>) => Promise<unknown>
    }
    await object.versions([]).catch(() => undefined)
  })
