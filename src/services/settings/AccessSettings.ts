import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Either from "effect/Either"
import { defaultsOf, duration, limit, type Setting, type SettingsGroup, type Values } from "./model/Setting.ts"

const origin = /^https?:\/\/(?:\*\.)?[a-z0-9.-]+(?::\d+)?$/

/** Origins of browsers that may ask: none, `*` for all, or each with scheme, host and port. */
const corsOrigins: Setting<ReadonlyArray<string>> = {
  variable: "CORS_ORIGINS",
  default: [],
  allowed: "`none`, `*`, or origins separated by commas: `https://app.example.com`, `https://*.example.com`",
  documentation: "Origins whose pages may call the API from a browser; the key still says what they may do.",
  parse: (text) => {
    const origins = text.split(",").map((it) => it.trim().toLowerCase())
    if (text === "none") return Either.right([])
    return text === "*" || origins.every((it) => origin.test(it))
      ? Either.right(origins)
      : Either.left(corsOrigins.allowed)
  },
  format: (origins) => (origins.length === 0 ? "none" : origins.join(", "))
}

const declared = {
  corsOrigins,
  rateLimit: limit({
    variable: "RATE_LIMIT",
    documentation: "Requests a minute that each API key may make; see [access.md](access.md)."
  }),
  bodyDeadline: duration({
    variable: "BODY_DEADLINE",
    default: Duration.seconds(60),
    documentation:
      "How long the body of a request may take to arrive, and ten seconds longer for each MiB that it declares; later it is answered 408."
  }),
  requestDeadline: duration({
    variable: "REQUEST_DEADLINE",
    default: Duration.seconds(90),
    documentation:
      "How long an answer may take, and as much longer, but those of files and operations; later it is 503."
  })
}

type AccessValues = Values<typeof declared>

/** Who may ask, how often, and how long it may take. A reference: the defaults, unless variables are read. */
export class AccessSettings extends Context.Reference<AccessSettings>()("larder/AccessSettings", {
  defaultValue: (): AccessValues => defaultsOf(declared)
}) {}

export const accessSettings = { tag: AccessSettings, settings: declared, secrets: [] } satisfies SettingsGroup
