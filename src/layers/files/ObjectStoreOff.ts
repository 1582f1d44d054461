import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { type ObjectOperation, ObjectStore } from "../../services/files/ObjectStore.ts"
import { errorOf } from "./internal/objectErrors.ts"

const refused = (operation: ObjectOperation) => () => Effect.fail(errorOf(operation, "NotBound"))

/** For a Worker without a bucket. */
export const layer: Layer.Layer<ObjectStore> = Layer.succeed(ObjectStore, {
  open: refused("open"),
  head: refused("head"),
  put: refused("put"),
  delete: refused("delete"),
  list: refused("list"),
  copy: refused("copy"),
  createUpload: refused("createUpload"),
  uploadPart: refused("uploadPart"),
  completeUpload: refused("completeUpload"),
  abortUpload: refused("abortUpload")
})
