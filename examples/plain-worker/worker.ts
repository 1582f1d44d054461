import { withLarder } from "../../src/entry/package/larder.ts"

// A plain Worker on KV. The import and `withLarder(…)` are all that Larder needs of it; outside of this repository the
// import is from "larder-kv".

export interface Env {
  readonly NOTES: KVNamespace
}

const isName = (name: string): boolean => /^[a-z0-9-]{1,64}$/.test(name)

export const notes = {
  async fetch(request: Request, env: Env): Promise<Response> {
    const name = new URL(request.url).pathname.slice(1)
    if (name === "" && request.method === "GET") {
      const { keys } = await env.NOTES.list({ prefix: "note:" })
      return Response.json(keys.map((key) => key.name.slice("note:".length)))
    }
    if (!isName(name)) return new Response("a name is 1 to 64 of a-z, 0-9 and -", { status: 400 })
    switch (request.method) {
      case "GET": {
        const note = await env.NOTES.get(`note:${name}`)
        return note === null ? new Response("no such note", { status: 404 }) : new Response(note)
      }
      case "PUT":
        await env.NOTES.put(`note:${name}`, await request.text())
        return new Response(null, { status: 204 })
      case "DELETE":
        await env.NOTES.delete(`note:${name}`)
        return new Response(null, { status: 204 })
      default:
        return new Response("GET, PUT or DELETE", { status: 405, headers: { Allow: "GET, PUT, DELETE" } })
    }
  }
} satisfies ExportedHandler<Env>

export default withLarder(notes)
