import { withHttpCache } from "../../../src/entry/http-cache/withHttpCache.ts"

const counts = new Map<string, number>()
const never = new Promise<Response>(() => undefined)
const fresh = { "cache-control": "max-age=60" }
const chunk = new Uint8Array(1 << 16).fill(7)

const counted = (path: string): number => {
  const count = (counts.get(path) ?? 0) + 1
  counts.set(path, count)
  return count
}

/** `chunks` of 64 KiB; after `broken` of them the source fails. */
const streamed = (chunks: number, broken = Number.POSITIVE_INFINITY): ReadableStream<Uint8Array> => {
  let sent = 0
  return new ReadableStream({
    pull: (controller) => {
      if (sent === broken) controller.error(new Error("the source failed"))
      else if (sent++ === chunks) controller.close()
      else controller.enqueue(chunk)
    }
  })
}

/** Answers by its path; `ms` is how long it takes. Its first answer of some paths goes wrong. */
const handler = async (request: Request): Promise<Response> => {
  const { pathname, searchParams } = new URL(request.url)
  const count = counted(pathname)
  if (searchParams.has("ms")) await scheduler.wait(Number(searchParams.get("ms")))
  const [, kind] = pathname.split("/")
  const chunks = Number(searchParams.get("chunks"))
  switch (kind) {
    case "shared":
      return new Response(`shared ${count}`, { headers: fresh })
    case "private":
      return new Response(`for ${request.headers.get("user")}`, { headers: { "cache-control": "private" } })
    case "stuck":
      return count === 1 ? never : new Response(`answer ${count}`, { headers: fresh })
    case "broken":
      return new Response(streamed(chunks, count === 1 ? chunks >> 1 : undefined), { headers: fresh })
    case "large": {
      const length = String(chunks * chunk.byteLength)
      return new Response(streamed(chunks), { headers: { ...fresh, "content-length": length } })
    }
    case "gzip":
      return new Response(`text ${count}`, { headers: { ...fresh, "content-encoding": "gzip" } })
    case "behind":
      return new Response(`state ${count}`, { headers: { "cache-control": "max-age=0, stale-while-revalidate=60" } })
    default:
      throw new Error(`no such path: ${kind}`)
  }
}

const cached = withHttpCache(handler, { patience: 0.5 })

export default {
  fetch: async (request, env, context) => {
    const { pathname } = new URL(request.url)
    if (pathname.startsWith("/counts/")) return Response.json(counts.get(pathname.slice(7)) ?? 0)
    if (pathname === "/purge") {
      await cached.purge({ everything: true })
      return new Response(null, { status: 204 })
    }
    try {
      return await cached.fetch(request, env, context)
    } catch (error) {
      return new Response(String(error), { status: 500 })
    }
  }
} satisfies ExportedHandler
