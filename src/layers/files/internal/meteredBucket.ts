import type * as Context from "effect/Context"
import type { Ledger } from "../../../services/ledger/Ledger.ts"
import type { Bucket } from "../ObjectStoreR2.ts"

/** A bucket whose operations are billed in the ledger by R2's classes. Deleting and aborting are free. */
export const metered = (bucket: Bucket, ledger: Pick<Context.Tag.Service<Ledger>, "record">): Bucket => {
  const count = (item: "r2ClassA" | "r2ClassB") => ledger.record({ tier: "other", item, count: 1 })

  const upload = (one: R2MultipartUpload): R2MultipartUpload => ({
    key: one.key,
    uploadId: one.uploadId,
    uploadPart: (...given) => {
      count("r2ClassA")
      return one.uploadPart(...given)
    },
    complete: (...given) => {
      count("r2ClassA")
      return one.complete(...given)
    },
    abort: () => one.abort()
  })

  return {
    head: (...given: Parameters<Bucket["head"]>) => {
      count("r2ClassB")
      return bucket.head(...given)
    },
    get: (...given: Parameters<Bucket["get"]>) => {
      count("r2ClassB")
      return bucket.get(...given)
    },
    put: (...given: Parameters<Bucket["put"]>) => {
      count("r2ClassA")
      return bucket.put(...given)
    },
    delete: (...given) => bucket.delete(...given),
    list: (...given) => {
      count("r2ClassA")
      return bucket.list(...given)
    },
    createMultipartUpload: async (...given) => {
      count("r2ClassA")
      return upload(await bucket.createMultipartUpload(...given))
    },
    resumeMultipartUpload: (...given) => upload(bucket.resumeMultipartUpload(...given))
  } as Bucket
}
