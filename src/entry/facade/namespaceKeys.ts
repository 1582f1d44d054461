/** What a namespace lists under a prefix, page by page: one list for each thousand. */
export const listed = async function* <Metadata>(
  namespace: KVNamespace,
  prefix: string
): AsyncGenerator<ReadonlyArray<KVNamespaceListKey<Metadata>>> {
  for (let cursor: string | undefined, isLast = false; !isLast; ) {
    const page = await namespace.list<Metadata>({ prefix, ...(cursor === undefined ? {} : { cursor }) })
    yield page.keys
    isLast = page.list_complete
    cursor = page.list_complete ? undefined : page.cursor
  }
}

/** The names alone. */
export const namespaceKeys = async function* (
  namespace: KVNamespace,
  prefix = ""
): AsyncGenerator<ReadonlyArray<string>> {
  for await (const keys of listed(namespace, prefix)) yield keys.map(({ name }) => name)
}

/** Deletes all keys under a prefix: a list for each thousand, and a delete for each. */
export const clearKeys = async (namespace: KVNamespace, prefix = ""): Promise<void> => {
  for await (const keys of namespaceKeys(namespace, prefix)) {
    await Promise.all(keys.map((key) => namespace.delete(key)))
  }
}

/** Values in the order asked, a hundred a call; null for what is absent. */
export const valuesOf = async (
  namespace: KVNamespace,
  keys: ReadonlyArray<string>
): Promise<ReadonlyArray<string | null>> => {
  const chunks = Array.from({ length: Math.ceil(keys.length / 100) }, (_, at) => keys.slice(at * 100, at * 100 + 100))
  const found = await Promise.all(chunks.map((chunk) => namespace.get([...chunk])))
  return chunks.flatMap((chunk, at) => chunk.map((key) => found[at]!.get(key) ?? null))
}

/** Whole seconds as KV takes them, at least 60. Undefined for what does not end. */
export const expirationTtlOf = (millis: number | undefined): { readonly expirationTtl?: number } =>
  millis === undefined || !Number.isFinite(millis) ? {} : { expirationTtl: Math.max(60, Math.ceil(millis / 1000)) }
