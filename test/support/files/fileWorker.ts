import { createExecutionContext, env, waitOnExecutionContext } from "cloudflare:test"
import type { Env } from "../../../src/entry/app.ts"
import { cacheApplication } from "../../../src/entry/cacheApplication.ts"
import { fileService } from "../../../src/entry/files/fileService.ts"
import * as Isolates from "../../../src/entry/isolates.ts"

export const origin = "https://larder.test"

export interface Sent extends Omit<RequestInit, "cf" | "headers"> {
  readonly headers?: Record<string, string>
  /** The client's own `Accept-Encoding`, as Cloudflare tells it. */
  readonly accepts?: string | undefined
}

/** The cache and the file application, in an isolate of its own with these variables or bindings. */
export const fileWorker = (more: Record<string, unknown> = {}) => {
  const worker = Isolates.worker([cacheApplication, fileService])
  const bindings = { ...(env as unknown as Env), API_KEYS: "one,two,reader=read", ...more } as Env
  const send = async (path: string, { accepts, headers, ...init }: Sent = {}): Promise<Response> => {
    const context = createExecutionContext()
    const request = new Request(path.startsWith("http") ? path : `${origin}${path}`, {
      ...init,
      headers: { "X-API-KEY": "one", ...headers },
      cf: { clientAcceptEncoding: accepts }
    } as RequestInit)
    const response = await worker.fetch(request, bindings, context)
    await waitOnExecutionContext(context)
    return response
  }
  const fire = async (cron: string): Promise<void> => {
    const context = createExecutionContext()
    await worker.scheduled({ cron }, bindings, context)
    await waitOnExecutionContext(context)
  }
  const post = (path: string, body: unknown, headers: Record<string, string> = {}) =>
    send(path, {
      method: "POST",
      body: JSON.stringify(body),
      headers: { "Content-Type": "application/json", ...headers }
    })
  return { send, post, fire }
}
