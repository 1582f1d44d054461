/** Gives equal strings as one, so that what thousands of rows have in common is in memory once. */
export const sharing = (): ((text: string) => string) => {
  const known = new Map<string, string>()
  return (text) => {
    const first = known.get(text)
    if (first === undefined) known.set(text, text)
    return first ?? text
  }
}
