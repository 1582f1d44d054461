/**
 * - `NotAUrl`. `NotHttps`: any other scheme. `Credentials`: a name or password in it.
 * - `LocalName`: a name that only a local network knows. `LocalAddress`: not an address of the public Internet.
 */
export type TargetRefusal = "NotAUrl" | "NotHttps" | "Credentials" | "LocalName" | "LocalAddress"

/**
 * Why notifications may not go to a URL; undefined when they may: `https`, to a public name or address. The URL parser
 * has already brought every spelling of an IPv4 address (decimal, octal, hexadecimal, shortened, full-width digits) into
 * dotted decimal. What a public name resolves to is not known here: a Worker reaches nothing but public addresses.
 *
 * @param allowLocal for local use: `http`, and local names and addresses, too
 */
export const targetRefusal = (target: string, allowLocal: boolean): TargetRefusal | undefined => {
  const url = parsed(target)
  if (url === undefined) return "NotAUrl"
  if (url.protocol !== "https:" && !(allowLocal && url.protocol === "http:")) return "NotHttps"
  if (url.username !== "" || url.password !== "") return "Credentials"
  if (allowLocal) return undefined
  const host = url.hostname.replace(/\.$/, "")
  if (host.startsWith("[")) return isPublicIpv6(host.slice(1, -1)) ? undefined : "LocalAddress"
  if (/^[\d.]+$/.test(host)) return isPublicIpv4(host) ? undefined : "LocalAddress"
  return isPublicName(host) ? undefined : "LocalName"
}

const parsed = (target: string): URL | undefined => {
  try {
    return new URL(target)
  } catch {
    return undefined
  }
}

/** Top-level names for use inside of networks: RFC 6761, 6762, 7686, 8375, ICANN's `internal`, and those in wide use. */
const localTops: ReadonlySet<string> = new Set(
  "localhost local internal intranet lan home corp private localdomain test invalid onion arpa".split(" ")
)

const isPublicName = (host: string): boolean => {
  const labels = host.split(".")
  return labels.length > 1 && !labels.includes("") && !localTops.has(labels.at(-1)!)
}

/** Not of the public Internet: IANA IPv4 Special-Purpose Address Registry, multicast and reserved. */
const ipv4Special: ReadonlyArray<readonly [base: number, bits: number]> = [
  "0.0.0.0/8",
  "10.0.0.0/8",
  "100.64.0.0/10",
  "127.0.0.0/8",
  "169.254.0.0/16",
  "172.16.0.0/12",
  "192.0.0.0/24",
  "192.0.2.0/24",
  "192.88.99.0/24",
  "192.168.0.0/16",
  "198.18.0.0/15",
  "198.51.100.0/24",
  "203.0.113.0/24",
  "224.0.0.0/3"
].map((range) => {
  const [base = "", bits = ""] = range.split("/")
  return [numberOf(base), Number(bits)]
})

function numberOf(dotted: string): number {
  return dotted.split(".").reduce((number, byte) => number * 256 + Number(byte), 0)
}

const isPublicIpv4 = (dotted: string): boolean => {
  const address = numberOf(dotted)
  return !ipv4Special.some(([base, bits]) => {
    const size = 2 ** (32 - bits)
    return address >= base && address < base + size
  })
}

/**
 * Only global unicast, 2000::/3, without what IANA's registry takes out of it: 2001::/23 (protocol assignments, Teredo),
 * 2001:db8::/32 and 3fff::/20 (documentation), 2002::/16 (6to4, which embeds IPv4 addresses). That leaves out loopback,
 * link-local, unique-local, multicast, NAT64 and every form that holds an IPv4 address.
 */
const isPublicIpv6 = (address: string): boolean => {
  const groups = address.split(":")
  const first = Number.parseInt(groups[0] || "0", 16)
  const second = Number.parseInt(groups[1] || "0", 16)
  if (first < 0x2000 || first > 0x3fff || first === 0x2002) return false
  if (first === 0x2001) return second >= 0x200 && second !== 0xdb8
  return !(first === 0x3fff && second < 0x1000)
}
