// Prints the webhooks that it gets, and refuses those that are not signed with WEBHOOK_SECRET, or not just now.
// node examples/webhook-receiver.mjs [port]
import { createHmac, timingSafeEqual } from "node:crypto"
import { createServer } from "node:http"
import { text } from "node:stream/consumers"

const secret = process.env.WEBHOOK_SECRET ?? "dev"

const server = createServer(async (request, response) => {
  const body = await text(request)
  const [, t, v1] = /^t=(\d+),v1=([0-9a-f]{64})$/.exec(request.headers["larder-signature"] ?? "") ?? []
  const expected = createHmac("sha256", secret).update(`${t}.${body}`).digest()
  const genuine =
    v1 !== undefined && timingSafeEqual(expected, Buffer.from(v1, "hex")) && Math.abs(Date.now() / 1000 - t) < 300
  console.log(genuine ? "genuine" : "refused", request.headers["idempotency-key"], body)
  response.writeHead(genuine ? 204 : 401).end()
})
server.listen(Number(process.argv[2] ?? 9999), "127.0.0.1", () =>
  console.log(`webhooks to http://localhost:${server.address().port}/`)
)
