import * as Redacted from "effect/Redacted"
import type { Credentials } from "../../../src/layers/files/PresignedUrlsAws.ts"

export const secret = "a1b2c3d4e5f60718293a4b5c6d7e8f90-not-a-real-one"

/** Credentials of no account. */
export const credentials: Credentials = {
  endpoint: "https://0123456789abcdef.r2.cloudflarestorage.com",
  bucket: "larder-files",
  accessKeyId: "larder-test-key",
  secretAccessKey: Redacted.make(secret)
}
