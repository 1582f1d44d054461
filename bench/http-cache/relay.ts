import http, { createServer, type IncomingMessage } from "node:http"
import https from "node:https"

const fieldsOf = ({ rawHeaders }: IncomingMessage): Record<string, Array<string>> => {
  const fields: Record<string, Array<string>> = {}
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const name = rawHeaders[at]!
    if (name.toLowerCase() === "host") continue
    fields[name] = [...(fields[name] ?? []), rawHeaders[at + 1]!]
  }
  return fields
}

/**
 * A connection of its own to the origin for each request. workerd reuses connections, and an origin that sends more bytes
 * than it announced, as some tests of the suite do, would spoil the answer to whatever request comes next on it. Interim
 * responses end here: workerd takes a 103 for the final response.
 */
export const startRelay = async (origin: string): Promise<{ readonly url: string; readonly stop: () => void }> => {
  const { request: send } = origin.startsWith("https:") ? https : http
  const relay = createServer((request, response) => {
    const target = new URL(request.url ?? "/", origin)
    let complete = () => false
    const asked = send(target, { method: request.method, headers: fieldsOf(request), agent: false }, (answer) => {
      complete = () => answer.complete
      response.sendDate = false
      response.writeHead(answer.statusCode ?? 502, answer.statusMessage, answer.rawHeaders)
      answer.pipe(response)
      answer.on("aborted", () => response.destroy())
    })
    // What comes after the end of the message is an error, but not the message's.
    asked.on("error", () => complete() || response.destroy())
    response.on("close", () => asked.destroy())
    request.pipe(asked)
  })
  relay.keepAliveTimeout = 60_000
  await new Promise<void>((resolve) => relay.listen(0, "127.0.0.1", resolve))
  const address = relay.address()
  return {
    url: `http://127.0.0.1:${typeof address === "object" && address !== null ? address.port : 0}`,
    stop: () => {
      relay.closeAllConnections()
      relay.close()
    }
  }
}
