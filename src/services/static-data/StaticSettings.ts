import * as Context from "effect/Context"
import { group, integer, type Values } from "../settings/model/Setting.ts"

const declared = {
  staticBytes: integer({
    variable: "STATIC_BYTES",
    default: 512 << 10,
    least: 128 << 10,
    most: 8 << 20,
    documentation: "Bytes that the static tables, and what is derived from them, may hold."
  })
}

/** The settings of static data. */
export class StaticSettings extends Context.Tag("larder/StaticSettings")<StaticSettings, Values<typeof declared>>() {}

export const staticSettings = group(StaticSettings, declared)

export const defaultStaticBytes = declared.staticBytes.default
