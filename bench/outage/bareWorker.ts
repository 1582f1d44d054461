import { DurableObject } from "cloudflare:workers"

// The least that an outage costs: three bare objects with a table each, and what they cannot be told lies in KV until
// they are back, one value a write. Answers the requests of outageRecovery.ts; nothing is remembered in memory.

interface Env {
  readonly CACHE_DO: DurableObjectNamespace<CacheDurableObject>
  readonly CACHE_DO_KV: KVNamespace
}

export class CacheDurableObject extends DurableObject<Env> {
  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env)
    ctx.storage.sql.exec("CREATE TABLE IF NOT EXISTS entries (id TEXT PRIMARY KEY, value BLOB)")
  }

  put(id: string, value: Uint8Array): void {
    this.ctx.storage.sql.exec("INSERT OR REPLACE INTO entries VALUES (?, ?)", id, value)
  }

  read(id: string): Uint8Array | undefined {
    const [row] = this.ctx.storage.sql
      .exec<{ value: ArrayBuffer }>("SELECT value FROM entries WHERE id = ?", id)
      .toArray()
    return row && new Uint8Array(row.value)
  }

  list(prefix: string): ReadonlyArray<string> {
    const rows = this.ctx.storage.sql.exec<{ id: string }>("SELECT id FROM entries WHERE id GLOB ?", `${prefix}*`)
    return rows.toArray().map(({ id }) => id)
  }
}

const shards = 3

/** Whether the objects count as out of reach. */
let isAway = false

const hashOf = (id: string): number => [...id].reduce((hash, char) => (31 * hash + char.charCodeAt(0)) >>> 0, 7)

const objects = (env: Env) => Array.from({ length: shards }, (_, shard) => env.CACHE_DO.getByName(`shard-${shard}`))

const objectOf = (env: Env, id: string) => env.CACHE_DO.getByName(`shard-${hashOf(id) % shards}`)

const recover = async (env: Env): Promise<void> => {
  const { keys } = await env.CACHE_DO_KV.list()
  for (const { name } of keys) {
    const value = await env.CACHE_DO_KV.get(name, "arrayBuffer")
    await objectOf(env, name).put(name, new Uint8Array(value!))
  }
}

export default {
  async fetch(request, env, context): Promise<Response> {
    const url = new URL(request.url)
    const id = url.pathname.split("/").at(-1)!
    if (id === "faults") {
      isAway = ((await request.json()) as { away: ReadonlyArray<string> }).away.length > 0
      if (!isAway) context.waitUntil(recover(env))
      return new Response()
    }
    if (url.searchParams.has("prefix")) {
      const lists = await Promise.all(objects(env).map((object) => object.list(url.searchParams.get("prefix")!)))
      return Response.json({ keys: lists.flat().map((key) => ({ key })) })
    }
    if (request.method === "PUT") {
      const value = await request.arrayBuffer()
      if (isAway) await env.CACHE_DO_KV.put(id, value)
      else await objectOf(env, id).put(id, new Uint8Array(value))
      return new Response(null, { status: isAway ? 202 : 201 })
    }
    const value = isAway ? undefined : await objectOf(env, id).read(id)
    return new Response(value ?? null, { status: value === undefined ? 404 : 200 })
  }
} satisfies ExportedHandler<Env>
