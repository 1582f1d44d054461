import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type { ByteRange } from "../../services/files/model/ByteRange.ts"
import { objectKeyOf } from "../../services/files/model/FileKey.ts"
import { ObjectStore } from "../../services/files/ObjectStore.ts"
import { expiresOf } from "./storeFile.ts"

/** The file, unless it is absent or has expired; one R2 operation, and no database. */
export const openFile = (owner: string, key: string, expected?: ByteRange) =>
  Effect.gen(function* () {
    const store = yield* ObjectStore
    const found = yield* store.open(objectKeyOf(owner, key), expected)
    if (Option.isNone(found)) return Option.none()
    const expiresAt = expiresOf(found.value.info)
    if (expiresAt === undefined || expiresAt > (yield* Clock.currentTimeMillis)) return found
    yield* found.value.close
    return Option.none()
  })
