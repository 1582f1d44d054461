import * as Context from "effect/Context"
import { group, integer, text, type Values } from "../settings/model/Setting.ts"
import type { Quota } from "./FileCatalog.ts"

const declared = {
  filesMaxBytes: integer({
    variable: "FILES_MAX_BYTES",
    default: 10 * 1024 ** 3,
    least: 0,
    most: Number.MAX_SAFE_INTEGER,
    documentation: "Bytes of content that one API key may keep; its row in the table `owners` may say otherwise."
  }),
  filesMaxObjects: integer({
    variable: "FILES_MAX_OBJECTS",
    default: 100_000,
    least: 0,
    most: Number.MAX_SAFE_INTEGER,
    documentation: "Files that one API key may keep; its row in the table `owners` may say otherwise."
  }),
  filesMaxRequests: integer({
    variable: "FILES_MAX_REQUESTS",
    default: 1_000_000,
    least: 1,
    most: Number.MAX_SAFE_INTEGER,
    documentation: "Requests for files that one API key may make in a UTC day, its share links included."
  }),
  r2Bucket: text({
    variable: "R2_BUCKET",
    default: "larder-files",
    allowed: "the name of a bucket: 3 to 63 lower-case letters, digits and hyphens",
    pattern: /^[a-z0-9][a-z0-9-]{1,61}[a-z0-9]$/,
    documentation: "The bucket behind the binding `FILES`, for presigned links."
  })
}

/** The settings of the files. */
export class FileSettings extends Context.Tag("larder/FileSettings")<FileSettings, Values<typeof declared>>() {}

export const fileSettings = group(FileSettings, declared, [
  "R2_ACCOUNT_ID",
  "R2_ACCESS_KEY_ID",
  "R2_SECRET_ACCESS_KEY",
  "R2_ENDPOINT"
])

export const quotaOf = (settings: FileSettings["Type"]): Quota => ({
  maxBytes: settings.filesMaxBytes,
  maxObjects: settings.filesMaxObjects,
  maxRequests: settings.filesMaxRequests
})
