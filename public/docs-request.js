// The example request of an operation of the OpenAPI document, as parts, as a URL and as a line of curl.

const exampleOf = ({ example, schema }) => example ?? schema?.example

/** Path and query by name, with the examples of the document; a parameter of the query without one is left empty. */
export const partsOf = (path, method, { parameters, requestBody, responses, security }) => {
  const among = (place) => parameters.filter((it) => it.in === place)
  const values = (place) => Object.fromEntries(among(place).map((it) => [it.name, exampleOf(it) ?? ""]))
  const [type, media] = Object.entries(requestBody?.content ?? {})[0] ?? []
  const body = media?.example
  return {
    template: path,
    method: method.toUpperCase(),
    path: values("path"),
    query: values("query"),
    headers: type === undefined ? {} : { "Content-Type": type },
    body: type === undefined ? undefined : typeof body === "string" ? body : JSON.stringify(body ?? {}),
    open: security.length === 0,
    endless: responses["200"]?.content?.["text/event-stream"] !== undefined
  }
}

/** @param given the values of path and query; those of the query that are empty are left out */
export const urlOf = ({ template }, { path, query }) => {
  const filled = template.replace(/\{(\w+)\}/g, (_, name) => encodeURIComponent(path[name]))
  const asked = Object.entries(query).filter(([, value]) => value !== "")
  return asked.length === 0 ? filled : `${filled}?${new URLSearchParams(asked)}`
}

/** In quotes for a POSIX shell. */
const quoted = (text) => `'${text.replaceAll("'", "'\\''")}'`

/** Of the key, where none is known on this machine, the name of a variable. */
const keyHeader = (origin) =>
  /^https?:\/\/(localhost|127\.0\.0\.1)(:|$)/.test(origin) ? quoted("X-API-KEY: dev") : '"X-API-KEY: $LARDER_KEY"'

export const curlOf = (request, given = request, origin = location.origin) => {
  const { headers, method, open } = request
  const said = [
    request.endless ? "curl -N" : "curl",
    method === "HEAD" ? "--head" : method === "GET" ? "" : `-X ${method}`,
    open ? "" : `-H ${keyHeader(origin)}`,
    ...Object.entries(headers).map(([name, value]) => `-H ${quoted(`${name}: ${value}`)}`),
    request.body === undefined ? "" : `--data-binary ${quoted(given.body)}`,
    quoted(origin + urlOf(request, given))
  ]
  return said.filter((it) => it !== "").join(" ")
}
