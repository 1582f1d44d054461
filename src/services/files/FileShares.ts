import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type * as Option from "effect/Option"
import type { FileCatalogError } from "./FileCatalog.ts"

export interface Share {
  /** The SHA-256 of the token in the link, in hexadecimal: the token itself is kept nowhere. */
  readonly id: string
  readonly owner: string
  readonly key: string
  /** Milliseconds since the epoch. */
  readonly createdAt: number
  readonly expiresAt: number
}

/** Links through this Worker that let anyone read one file, until they expire or are withdrawn. */
export class FileShares extends Context.Tag("larder/FileShares")<
  FileShares,
  {
    readonly create: (share: Share) => Effect.Effect<void, FileCatalogError>
    /** None when it has expired, or was withdrawn. */
    readonly find: (id: string, now: number) => Effect.Effect<Option.Option<Share>, FileCatalogError>
    /** Newest first. */
    readonly list: (owner: string, now: number) => Effect.Effect<ReadonlyArray<Share>, FileCatalogError>
    /** False when the owner has no such share. */
    readonly withdraw: (owner: string, id: string) => Effect.Effect<boolean, FileCatalogError>
    readonly dropExpired: (now: number) => Effect.Effect<void, FileCatalogError>
  }
>() {}
