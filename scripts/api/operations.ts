/** What the reference says of an operation beside its schemas. It is no part of the Worker, whose bundle it would swell. */
export interface Operation {
  /** Where the contract itself has none. */
  readonly summary?: string
  readonly description?: string
  /** The request that the reference shows. Parts of the path, without their collection `default`. */
  readonly path?: Readonly<Record<string, string>>
  readonly query?: Readonly<Record<string, string>>
  readonly headers?: Readonly<Record<string, string>>
  /** Text, or a value that is sent as JSON. */
  readonly body?: unknown
  /** What the request is answered where what it names is there. */
  readonly status: number
}

export type Operations = Readonly<Record<string, Operation>>

const condition =
  "A condition is judged together with the write, by the object of the key: of many who write under one, one succeeds. It needs durable mode (422 `needs-durable-mode` in KV mode). While the object is out of reach the reply is 503, and the write may have been made."

const key = { path: { key: "greeting" } }

/** Of headers, on whatever operation. */
export const headers: Readonly<Record<string, string>> = {
  "if-match": "`*`: there is an entry; or entity tags in quotes, separated by commas, one of which it has",
  "if-none-match":
    "`*`: there is none; or entity tags in quotes, none of which it has. A read whose entry is named answers 304",
  "if-modified-since": "a date: 304 if the entry was written no later",
  "if-unmodified-since": "a date: the entry was written no later, in whole seconds"
}

export const tags: Readonly<Record<string, string>> = {
  entries: "Single entries: raw values with their content type.",
  cache: "Whole collections, batches, tags.",
  ledger: "What was billed.",
  data: "Health and bindings.",
  static: "What changes with a deployment only. Costs no operation of any tier.",
  admin: "Operations, for keys with the scope `admin`.",
  sectors: "The sectors of the market.",
  market: "The market desk.",
  alerts: "Rules on prices, and who is told.",
  files: "Files in R2, under the API key's owner.",
  database: "The queries of D1.",
  storage: "Uploads by parts, shares, quotas."
}

/** Of the cache alone, by `group.operation`. */
export const coreOperations: Operations = {
  "entries.get": {
    ...key,
    summary: "Read an entry",
    description:
      "`Cache-Status` names the tier that answered, `Age` the seconds since the store gave it, `Expires` its end (none for an entry that lives for ever), `Last-Modified` when it was written. A value that is stored compressed is sent so to who accepts that coding, under an `ETag` of its own.",
    status: 200
  },
  "entries.head": { ...key, summary: "Ask whether an entry is there", status: 200 },
  "entries.put": {
    ...key,
    query: { tags: "demo" },
    headers: { "Content-Type": "text/plain" },
    body: "hello",
    summary: "Write an entry",
    description: `Without \`ttl\` an entry lives as long as its collection says: in \`default\` for ever, as with \`KV.put\`; \`metadata\` has the ttl of every collection. \`Expires\` of the reply is the entry's end; an entry that lives for ever has none. ${condition} The reply to one has the \`ETag\` that the entry has now.`,
    status: 201
  },
  "entries.delete": { ...key, summary: "Delete an entry", description: condition, status: 204 },
  "cache.stats": { summary: "How the tiers of this isolate do, and in durable mode each shard", status: 200 },
  "cache.metadata": { summary: "What is kept, and how", status: 200 },
  "cache.invalidate": {
    summary: "Make every entry with one of the tags an absence",
    body: { tags: ["demo"] },
    status: 200
  },
  "cache.batch": {
    summary: "Read and write many entries",
    description:
      "Needs the scope `read`; with `set` or `delete`, `write` too. An entry without `ttl` lives as long as its collection says, in `default` for ever; every row of `set` says when its entry ends. Conditions as in a single write.",
    body: {
      set: [
        { key: "a", value: { n: 1 }, ttl: 60 },
        { key: "b", value: "text" }
      ],
      get: ["a", "b", "c"]
    },
    status: 200
  },
  "cache.list": {
    summary: "List a collection",
    description: "Keys in UTF-8 byte order. A page may be empty and still have a cursor.",
    query: { prefix: "g", limit: "10" },
    status: 200
  },
  "cache.clear": { summary: "Clear a collection in every tier", status: 204 },
  "ledger.report": { summary: "Every billed operation, and what it would have been without Larder", status: 200 },
  "monitor.performance": { status: 200 },
  "monitor.stream": { status: 200 },
  "monitor.recommendations": { status: 200 },
  "monitor.alerts": { status: 200 },
  "monitor.reports": { query: { days: "2" }, status: 200 },
  "monitor.lately": { status: 200 },
  "monitor.explain": { query: { collection: "default", key: "greeting" }, status: 200 },
  "monitor.metrics": { status: 200 },
  "config.settings": { status: 200 },
  "config.change": {
    body: { settings: { MEMORY_BYTES: 20_000_000 }, reason: "more to keep", expiresIn: 3600 },
    status: 200
  },
  "config.history": { status: 200 },
  "config.reset": { path: { name: "MEMORY_BYTES" }, status: 200 },
  "data.health": {
    summary: "Whether this isolate is well",
    description:
      "Public. 503 when the store of record of the mode in force does not answer: in durable mode an object is asked, at most once in 10 seconds by each isolate and without a KV operation; in KV mode one key is read, at most once a minute. `bindings` says of each that is missing what that means, and which name may be a misspelling of it.",
    status: 200
  },
  "data.bindings": {
    summary: "Whether every binding is there and works",
    description:
      "Writes, reads and deletes one key of CACHE_KV (three billed operations), at most once a minute per isolate.",
    status: 200
  },
  "static.symbols": {
    summary: "The symbols, all of them or those of a sector and an exchange",
    query: { sector: "information-technology" },
    status: 200
  },
  "static.symbol": { summary: "One symbol, in any case", path: { symbol: "AAPL" }, status: 200 },
  "static.table": {
    summary: "A table: symbols, sectors, exchanges, holidays, intervals, currencies or errors",
    path: { table: "sectors" },
    status: 200
  },
  "admin.flush": {
    summary: "Save what has changed in the objects now",
    description: "One KV write for each shard that changed since its last snapshot.",
    status: 200
  },
  "admin.restore": {
    summary: "Merge the snapshots and all outside writes into the objects",
    description:
      "By version: nothing newer is lost, and doing it again changes nothing. With `snapshot=previous` an object whose newest snapshot is damaged goes on from the one before, and its next snapshot takes the place of the damaged one.",
    status: 200
  },
  "admin.migrate": {
    summary: "Hand the entries of one mode's store over to the other's",
    description:
      "Without `dryRun: false` it only says what that will bill. It may stop and be repeated at any time: versions decide.",
    body: { dryRun: true },
    status: 200
  },
  "admin.reshard": {
    summary: "Change the number of shards",
    description:
      "Without `dryRun: false` it only says what that will bill. Keys move in order; writes to one that has not moved yet answer 503 with Retry-After. It may stop anywhere: send the same until it is complete.",
    body: { shards: 2, dryRun: true },
    status: 200
  },
  "admin.flushBuffered": {
    summary: "Write what the isolate that answers has buffered",
    description: "What the cron does every five minutes. Other isolates flush behind their requests.",
    status: 200
  },
  "admin.prefetch": {
    summary: "Share what prediction has learned, and warm memory",
    description: "What the cron does every 15 minutes, in the isolate that answers.",
    status: 200
  }
}
