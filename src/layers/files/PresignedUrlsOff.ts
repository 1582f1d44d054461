import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { PresignError, PresignedUrls } from "../../services/files/PresignedUrls.ts"

/** For a Worker without credentials of the S3 interface. */
export const layer: Layer.Layer<PresignedUrls> = Layer.succeed(PresignedUrls, {
  presign: () => Effect.fail(new PresignError({ operation: "presign", reason: "NotConfigured" })),
  statistics: () => ({ signed: 0, reused: 0 })
})
