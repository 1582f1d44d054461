/** The four kinds of operation that Workers KV bills, and the key of every table that counts them. */
export type KvKind = "reads" | "writes" | "deletes" | "lists"
