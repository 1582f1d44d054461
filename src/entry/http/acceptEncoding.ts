/** The client's own `Accept-Encoding`: Cloudflare rewrites the request's header. */
export const acceptEncodingOf = (request: Request): string | null => {
  const { cf } = request as { readonly cf?: { readonly clientAcceptEncoding?: string } }
  return cf?.clientAcceptEncoding ?? null
}
