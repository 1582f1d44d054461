/** JSON that also carries what structured clone does: bytes, infinities, and undefined in its place. */
export const encode = (value: unknown): string =>
  JSON.stringify(value, (_, item: unknown) => {
    if (item instanceof Uint8Array) return { $bytes: Buffer.from(item).toString("base64") }
    if (item === undefined) return { $undefined: true }
    return typeof item === "number" && !Number.isFinite(item) ? { $number: String(item) } : item
  })

export const decode = (text: string): unknown =>
  undefinedIn(
    JSON.parse(text, (_, item: unknown) => {
      if (typeof item !== "object" || item === null) return item
      if ("$bytes" in item) return new Uint8Array(Buffer.from(item.$bytes as string, "base64"))
      return "$number" in item ? Number(item.$number) : item
    })
  )

/** A reviver that returns undefined deletes; so these are put back afterwards. */
const undefinedIn = (value: unknown): unknown => {
  if (typeof value !== "object" || value === null || value instanceof Uint8Array) return value
  if (Array.isArray(value)) return value.map(undefinedIn)
  if ("$undefined" in value) return undefined
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, undefinedIn(item)]))
}
