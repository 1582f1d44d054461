/** The codings of HTTP that Larder may produce (RFC 9110, 8.4.1; RFC 8878). */
export type ContentCoding = "gzip" | "deflate" | "br" | "zstd"

/**
 * The coding to answer with (RFC 9110, 12.5.3): of those available, the one with the highest weight, by their order
 * where weights are equal; `identity` wins only over codings with a lower weight. Undefined when the client accepts
 * none of them, nor `identity`.
 *
 * @param header the client's own `Accept-Encoding`. Workers rewrite the request's header to `br, gzip`: take
 *   `request.cf.clientAcceptEncoding` where there is one. Null when the client sent none: only `identity` is safe.
 */
export const negotiate = <C extends ContentCoding>(
  header: string | null | undefined,
  available: ReadonlyArray<C>
): C | "identity" | undefined => {
  if (header === null || header === undefined) return "identity"
  const weights = parse(header)
  const others = weights.get("*")
  let best: C | undefined
  let bestWeight = 0
  for (const coding of available) {
    const weight = weights.get(coding) ?? (coding === "gzip" ? weights.get("x-gzip") : undefined) ?? others ?? 0
    if (weight > bestWeight) {
      best = coding
      bestWeight = weight
    }
  }
  const identity = weights.get("identity")
  if (best !== undefined && bestWeight >= (identity ?? 0)) return best
  return (identity ?? others) === 0 ? best : "identity"
}

const maxParts = 32

const parse = (header: string): ReadonlyMap<string, number> => {
  const weights = new Map<string, number>()
  for (const part of header.split(",", maxParts)) {
    const [name, ...parameters] = part.split(";")
    const coding = name!.trim().toLowerCase()
    if (coding !== "" && !weights.has(coding)) weights.set(coding, weightOf(parameters))
  }
  return weights
}

/** 0 to 1, three decimals at most; what is no weight by the grammar is taken for 0, so that it is never chosen. */
const weightOf = (parameters: ReadonlyArray<string>): number => {
  for (const parameter of parameters) {
    const found = /^\s*q\s*=\s*(.*?)\s*$/i.exec(parameter)
    if (found !== null) return /^(?:0(?:\.\d{0,3})?|1(?:\.0{0,3})?)$/.test(found[1]!) ? Number(found[1]) : 0
  }
  return 1
}
