import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { FileCatalog } from "../../services/files/FileCatalog.ts"
import { objectKeyOf } from "../../services/files/model/FileKey.ts"
import { ObjectStore } from "../../services/files/ObjectStore.ts"

/**
 * Removes the object, then its row: what is recorded and gone is removed by another try, what is kept and unrecorded
 * would be billed unseen.
 */
export const removeFile = (owner: string, key: string, action: "delete" | "expire" = "delete") =>
  Effect.gen(function* () {
    const store = yield* ObjectStore
    const catalog = yield* FileCatalog
    const objectKey = objectKeyOf(owner, key)
    const existed = Option.isSome(yield* store.head(objectKey))
    yield* store.delete([objectKey])
    yield* catalog.remove(owner, key, action, yield* Clock.currentTimeMillis)
    return existed
  })
