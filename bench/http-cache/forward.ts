export interface Env {
  /** Where requests go on to. */
  readonly ORIGIN: string
}

/** A request on to the origin. */
export const forward = (request: Request, { ORIGIN }: Env): Promise<Response> => {
  const { pathname, search } = new URL(request.url)
  const { body, headers, method } = request
  // A proxy passes codings on as they are; without `manual` the runtime would decode and encode every body.
  const init: RequestInit & { encodeResponseBody: "manual" } = {
    method,
    headers,
    body,
    redirect: "manual",
    encodeResponseBody: "manual"
  }
  return fetch(new URL(pathname + search, ORIGIN), init)
}
