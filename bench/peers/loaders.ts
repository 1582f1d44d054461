/** Loaders by key, for a system that is given one function for all keys. */
export const makeLoaders = () => {
  const loaders = new Map<string, () => Promise<string>>()
  return {
    run: (key: string): Promise<string> => loaders.get(key)!(),
    with: <A>(key: string, load: () => Promise<string>, then: (key: string) => A): A => {
      loaders.set(key, load)
      return then(key)
    }
  }
}
