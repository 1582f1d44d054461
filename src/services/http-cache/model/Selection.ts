import { listMembers } from "./Directives.ts"
import type { StoredResponse } from "./StoredResponse.ts"

/** The fields that `Vary` names, lower case, in order, once each; undefined for `*`, which no request matches. */
export const varyOf = (headers: Headers): ReadonlyArray<string> | undefined => {
  const field = headers.get("vary")
  if (field === null) return []
  const names = listMembers(field).map((name) => name.toLowerCase())
  return names.includes("*") ? undefined : [...new Set(names)].sort()
}

interface Preference {
  readonly value: string
  readonly quality: number
}

/** A list with weights, as `Accept-Language` is one. A weight that is none counts as 0. */
const preferences = (field: string): ReadonlyArray<Preference> =>
  listMembers(field).map((member) => {
    const [value, ...parameters] = member.split(";").map((part) => part.trim())
    const weight = parameters.find((parameter) => /^q=/i.test(parameter))
    const others = parameters.filter((parameter) => parameter !== weight)
    const quality = weight === undefined ? 1 : /^q=(0(\.\d{0,3})?|1(\.0{0,3})?)$/i.test(weight) ? +weight.slice(2) : 0
    return { value: [value!.toLowerCase(), ...others].join(";"), quality }
  })

/** Order among equals and spelling say nothing. */
const weighted = (field: string): string =>
  preferences(field)
    .map(({ quality, value }) => `${quality.toFixed(3)} ${value}`)
    .sort()
    .join(",")

const byWeight = new Set(["accept", "accept-charset", "accept-encoding", "accept-language"])

/** The value of a selecting field with what cannot matter taken out: spaces around commas, order where it has none. */
const normalised = (name: string, value: string | null): string | null => {
  if (value === null) return null
  return byWeight.has(name) ? weighted(value) : listMembers(value).join(",")
}

export const selecting = (vary: ReadonlyArray<string>, headers: Headers): ReadonlyArray<string | null> =>
  vary.map((name) => normalised(name, headers.get(name)))

/** The one language that a client likes best; undefined when it likes several equally, or any. */
const favourite = (field: string | null): string | undefined => {
  if (field === null) return undefined
  const all = preferences(field)
  const best = Math.max(...all.map(({ quality }) => quality))
  const first = all.filter(({ quality }) => quality === best)
  return best > 0 && first.length === 1 && first[0]!.value !== "*" ? first[0]!.value : undefined
}

/**
 * Whether the request would have selected the stored response. It would, too, where the stored response is in the
 * language that this client likes best: the origin has nothing that would suit it better.
 */
const selects = (stored: StoredResponse, headers: Headers): boolean =>
  stored.vary.every((name, at) => {
    const field = headers.get(name)
    if (normalised(name, field) === stored.selecting[at]) return true
    return name === "accept-language" && stored.language !== undefined && favourite(field) === stored.language
  })

/** The most recent of the stored responses that the request selects (RFC 9111, 4.1); whole ones before parts. */
export const select = (variants: ReadonlyArray<StoredResponse>, headers: Headers): StoredResponse | undefined => {
  let best: StoredResponse | undefined
  for (const variant of variants) {
    if (!selects(variant, headers)) continue
    const better =
      best === undefined || (variant.part === undefined) !== (best.part === undefined)
        ? variant.part === undefined || best === undefined
        : variant.date > best.date || (variant.date === best.date && variant.responseTime >= best.responseTime)
    if (better) best = variant
  }
  return best
}

/** Whether both would answer the same requests, so that the newer takes the place of the older. */
export const sameVariant = (a: StoredResponse, b: StoredResponse): boolean =>
  a.vary.length === b.vary.length &&
  a.vary.every((name, at) => b.vary[at] === name && a.selecting[at] === b.selecting[at])
