import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { FileCatalog, type Reservation } from "../../services/files/FileCatalog.ts"
import { objectKeyOf } from "../../services/files/model/FileKey.ts"
import { ObjectStore } from "../../services/files/ObjectStore.ts"
import { rowOf } from "./storeFile.ts"

/** Links of an owner that one list looks after: each costs an R2 class B operation. */
const maxLinksAtOnce = 20

/** Records the file that a reservation has become without anybody saying so; false when there is none. */
export const adoptUpload = (reservation: Reservation) =>
  Effect.gen(function* () {
    const { createdAt, key, owner } = reservation
    const found = yield* (yield* ObjectStore).head(objectKeyOf(owner, key))
    if (Option.isNone(found) || found.value.uploadedAt < createdAt) return false
    const catalog = yield* FileCatalog
    yield* catalog.settle(reservation, rowOf(key, found.value), yield* Clock.currentTimeMillis)
    return true
  })

/** Of one owner, what was put with links since. */
export const adoptLinks = (owner: string) =>
  Effect.gen(function* () {
    const links = yield* (yield* FileCatalog).linksOf(owner, maxLinksAtOnce)
    yield* Effect.forEach(links, adoptUpload, { concurrency: 6, discard: true })
  })
