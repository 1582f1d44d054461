import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { FileShares } from "../../services/files/FileShares.ts"
import { objectKeyOf, tokenIdOf } from "../../services/files/model/FileKey.ts"
import { ObjectStore } from "../../services/files/ObjectStore.ts"

/** A link for anyone, to one file, for so many seconds; none when there is no such file. */
export const shareFile = (owner: string, key: string, seconds: number) =>
  Effect.gen(function* () {
    if (Option.isNone(yield* (yield* ObjectStore).head(objectKeyOf(owner, key)))) return Option.none()
    const token = Buffer.from(crypto.getRandomValues(new Uint8Array(24))).toString("base64url")
    const now = yield* Clock.currentTimeMillis
    const share = { id: tokenIdOf(token), owner, key, createdAt: now, expiresAt: now + seconds * 1000 }
    yield* (yield* FileShares).create(share)
    return Option.some({ token, share })
  })

/** The share that a token stands for, while it lives. */
export const findShare = (token: string) =>
  Effect.gen(function* () {
    return yield* (yield* FileShares).find(tokenIdOf(token), yield* Clock.currentTimeMillis)
  })
