// Prints the webhooks that it gets, and refuses those that are not signed with WEBHOOK_SECRET, or not just now.
// node examples/webhook-receiver.mjs [port]
// They are Standard Webhooks: any library of https://www.standardwebhooks.com does the same as `isGenuine`.
import { createHmac, timingSafeEqual } from "node:crypto"
import { createServer } from "node:http"
import { text } from "node:stream/consumers"

const secret = process.env.WEBHOOK_SECRET ?? "dev"
const key = secret.startsWith("whsec_") ? Buffer.from(secret.slice(6), "base64") : Buffer.from(secret)

const isGenuine = (headers, body) => {
  const { "webhook-id": id, "webhook-timestamp": seconds, "webhook-signature": signatures = "" } = headers
  if (!(Math.abs(Date.now() / 1000 - Number(seconds)) < 300)) return false
  const expected = createHmac("sha256", key).update(`${id}.${seconds}.${body}`).digest()
  return signatures.split(" ").some((signature) => {
    const given = Buffer.from(signature.replace(/^v1,/, ""), "base64")
    return signature.startsWith("v1,") && given.length === expected.length && timingSafeEqual(given, expected)
  })
}

const server = createServer(async (request, response) => {
  const body = await text(request)
  const genuine = isGenuine(request.headers, body)
  console.log(genuine ? "genuine" : "refused", request.headers["webhook-id"], body)
  response.writeHead(genuine ? 204 : 401).end()
})
server.listen(Number(process.argv[2] ?? 9999), "127.0.0.1", () =>
  console.log(`webhooks to http://localhost:${server.address().port}/`)
)
