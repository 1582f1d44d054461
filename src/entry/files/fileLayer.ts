import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as CompressionZlib from "../../layers/compression/CompressionZlib.ts"
import * as IndexAdvisorBinding from "../../layers/database/IndexAdvisorBinding.ts"
import * as QueryCacheD1 from "../../layers/database/QueryCacheD1.ts"
import * as TableVersionsOff from "../../layers/database/TableVersionsOff.ts"
import * as FileCatalogD1 from "../../layers/files/FileCatalogD1.ts"
import * as FileSharesD1 from "../../layers/files/FileSharesD1.ts"
import * as FileUsageD1 from "../../layers/files/FileUsageD1.ts"
import * as FileUsersD1 from "../../layers/files/FileUsersD1.ts"
import * as ObjectStoreOff from "../../layers/files/ObjectStoreOff.ts"
import * as ObjectStoreR2 from "../../layers/files/ObjectStoreR2.ts"
import * as PresignedUrlsAws from "../../layers/files/PresignedUrlsAws.ts"
import * as PresignedUrlsOff from "../../layers/files/PresignedUrlsOff.ts"
import * as SingleFlightPromise from "../../layers/tiers/SingleFlightPromise.ts"
import { FileSettings } from "../../services/files/FileSettings.ts"
import type { PresignedUrls } from "../../services/files/PresignedUrls.ts"

/** The bindings and secrets of the files. Without one of them, what needs it answers 503. */
export interface FileEnv {
  readonly FILES?: ObjectStoreR2.Bucket
  readonly DB?: D1Database
  /** The object in which indexes are tried. */
  readonly DATABASE_DO?: DurableObjectNamespace
  readonly R2_ACCOUNT_ID?: string
  readonly R2_ACCESS_KEY_ID?: string
  readonly R2_SECRET_ACCESS_KEY?: string
  /** Of R2's S3 interface, `https://…` and no path: for a jurisdiction, or a test. */
  readonly R2_ENDPOINT?: string
}

const presignedUrls = (env: FileEnv): Layer.Layer<PresignedUrls, never, FileSettings> => {
  const { R2_ACCESS_KEY_ID, R2_ACCOUNT_ID, R2_ENDPOINT, R2_SECRET_ACCESS_KEY } = env
  const endpoint = R2_ENDPOINT ?? (R2_ACCOUNT_ID && `https://${R2_ACCOUNT_ID}.r2.cloudflarestorage.com`)
  if (!endpoint || !/^https?:\/\/[^/]+$/.test(endpoint) || !R2_ACCESS_KEY_ID || !R2_SECRET_ACCESS_KEY)
    return PresignedUrlsOff.layer
  const secretAccessKey = Redacted.make(R2_SECRET_ACCESS_KEY)
  return Layer.unwrapEffect(
    Effect.map(FileSettings, ({ r2Bucket }) =>
      PresignedUrlsAws.layer({ endpoint, bucket: r2Bucket, accessKeyId: R2_ACCESS_KEY_ID, secretAccessKey })
    )
  )
}

export const layer = (env: FileEnv) =>
  Layer.mergeAll(
    env.FILES === undefined ? ObjectStoreOff.layer : ObjectStoreR2.layer(env.FILES),
    FileCatalogD1.layer,
    FileUsageD1.layer,
    FileSharesD1.layer,
    FileUsersD1.layer,
    IndexAdvisorBinding.layer(env.DATABASE_DO),
    presignedUrls(env)
  ).pipe(
    Layer.provideMerge(CompressionZlib.layer),
    Layer.provideMerge(
      Layer.provide(QueryCacheD1.layer(env.DB), Layer.merge(SingleFlightPromise.layer, TableVersionsOff.layer))
    )
  )
