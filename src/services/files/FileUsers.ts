import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type { FileCatalogError } from "./FileCatalog.ts"

/** An API key, by its hash, and whose files it reads and writes. */
export interface FileUser {
  readonly id: string
  readonly owner: string
  readonly name: string | undefined
  /** Milliseconds since the epoch. */
  readonly createdAt: number
}

/**
 * Who owns what an API key puts: the owner that the key was added to, or else the one named after the key. Owners stay
 * when keys are replaced.
 */
export class FileUsers extends Context.Tag("larder/FileUsers")<
  FileUsers,
  {
    /** Kept in memory: a key that another isolate added or removed is known {@link knownMillis} later. */
    readonly ownerOf: (id: string) => Effect.Effect<string, FileCatalogError>
    /** False for a key that has files of its own or belongs to another owner: nothing is taken from anybody. */
    readonly add: (user: FileUser) => Effect.Effect<boolean, FileCatalogError>
    /** Oldest first. */
    readonly list: (owner: string) => Effect.Effect<ReadonlyArray<FileUser>, FileCatalogError>
    /** False when the owner has no such key. */
    readonly remove: (owner: string, id: string) => Effect.Effect<boolean, FileCatalogError>
  }
>() {}

export const knownMillis = 60_000
