/** An entry of a list, or with `more` none: all up to this id has been looked at, and there may be more behind it. */
export interface Listed {
  readonly id: string
  readonly expiresAt: number
  readonly tags: ReadonlyArray<string>
  readonly more?: true
}

/** The entries of a list, and after which id the next one goes on; undefined at the end. */
export const pageOf = (
  listed: ReadonlyArray<Listed>,
  limit: number
): { readonly rows: ReadonlyArray<Listed>; readonly next: string | undefined } => {
  const last = listed.at(-1)
  if (last?.more === true) return { rows: listed.slice(0, -1), next: last.id }
  return { rows: listed, next: listed.length < limit ? undefined : last?.id }
}
