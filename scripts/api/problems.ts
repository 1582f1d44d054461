import { type Kind, kinds } from "../../src/entry/http/problem.ts"

/** Of each problem: when it is answered, and what the client can do about it. */
export const explanations: { readonly [K in Kind]: readonly [when: string, remedy: string] } = {
  "bad-key": ["The key is empty, is . or .., is longer than 512 bytes of UTF-8, or is not UTF-8.", "Send another key."],
  "bad-parameter": [
    "A query parameter is unknown, is given twice, or lies outside of its range.",
    "The detail names the parameter and what it may be."
  ],
  "bad-header": ["A header that this request uses cannot be read.", "The detail names the header."],
  "bad-json": ["The body is no JSON text.", "Check the body; the detail says where reading stopped."],
  "incomplete-body": ["The connection ended before the whole body had arrived.", "Send the request again."],
  unauthorized: ["The header X-API-KEY is missing, or its key is not one of this Worker's.", "Send a key of API_KEYS."],
  forbidden: [
    "The key is valid and lacks the scope that the route needs.",
    "Use a key with that scope; the detail names it."
  ],
  "forbidden-origin": [
    "A browser asks whether pages of another origin may call the API, and the setting CORS_ORIGINS does not name it.",
    "Name the origin in CORS_ORIGINS: docs/access.md."
  ],
  "application-collection": [
    "The collection holds the data of an application and is closed to the cache's own routes.",
    "Use the application's route, which the detail names; a key with the scope admin may read the collection."
  ],
  "no-such-alert": ["No alert rule has this id.", "List the rules: GET /api/v1/alerts."],
  "no-such-dead-letter": [
    "No undelivered notification has this key: it was sent again, or its time is over.",
    "List them: GET /api/v1/alerts/dead-letters."
  ],
  "no-such-entry": [
    "Nothing is stored under this key, or what was has expired.",
    "Nothing: absence is a normal answer."
  ],
  "no-such-collection": [
    "No collection of this name is declared. The collection default always exists.",
    "Declare it in the variable COLLECTIONS."
  ],
  "no-such-file": ["No file has this name among those of the key's owner.", "List them: GET /api/v1/files."],
  "no-such-upload": [
    "The upload is unknown, complete, aborted or expired.",
    "Begin a new one: POST /api/v1/storage/uploads."
  ],
  "no-such-user": ["The caller's owner has no added API key of this identifier.", "Read the list of keys again."],
  "key-in-use": [
    "The API key owns files already, or was added to another owner.",
    "Take a key that has never stored a file, or delete what it has stored."
  ],
  "no-such-share": ["The link was withdrawn, has expired, or never existed.", "Ask its owner for another."],
  "no-such-route": ["No route has this path.", "The routes are at /docs."],
  "no-such-report": ["There is no daily report of that day.", "Ask for a trading day that is over."],
  "no-such-symbol": ["The table of symbols does not have it.", "The symbols are at /api/v1/data/symbols."],
  "no-such-table": ["No static table has this name.", "The routes are at /docs."],
  "method-not-allowed": [
    "The path exists and does not take this method.",
    "The header Allow names those that it takes."
  ],
  "read-only": ["The collection is built into the Worker.", "It changes with a deployment only."],
  "request-timeout": [
    "The body had not arrived to its end within BODY_DEADLINE.",
    "Send it again over a faster connection, or in parts."
  ],
  "too-many-alerts": ["The rules have reached their number.", "Delete rules that are no longer needed."],
  "no-durable-objects": [
    "The operation needs Durable Objects, and the Worker is bound to none.",
    "Bind CACHE_DO: docs/deploying.md."
  ],
  "reshard-under-way": [
    "Entries are moving to another number of objects.",
    "Wait for the end, or stop or continue the move with POST /api/v1/admin/reshard."
  ],
  "incomplete-upload": [
    "The upload was completed before all of its parts had arrived.",
    "Send the parts that the detail names."
  ],
  "condition-failed": [
    "If-Match, If-None-Match or If-Unmodified-Since does not hold for the entry as it is.",
    "Read the entry, decide anew, and send the request with its present ETag."
  ],
  "too-large": [
    "The body is larger than the route takes. An entry's value holds at most 25 MiB.",
    "Send less, or in parts."
  ],
  "too-many-keys": ["A batch names more than 1,000 keys.", "Send several batches."],
  "url-too-long": ["The URL is longer than this Worker reads.", "Send fewer or shorter parameters."],
  "range-not-satisfiable": [
    "The range begins behind the end of the file.",
    "The header Content-Range tells its length."
  ],
  "unsupported-media-type": [
    "The body's Content-Type is not one that the route takes.",
    "Send the type that the detail names."
  ],
  "needs-durable-mode": [
    "A write under a condition was sent to a Worker that keeps its entries in KV, which has no compare-and-set.",
    "Write without the condition, or switch durable mode on: docs/which-mode.md."
  ],
  "invalid-body": [
    "The body is JSON and not of the route's shape: a field is missing, unknown or out of its range.",
    "errors names each field by its JSON pointer; the shape is at /docs."
  ],
  "too-many-requests": [
    "The API key has made the requests of this minute that RATE_LIMIT allows; while operations of the day run low, half or a quarter of them.",
    "Wait for Retry-After seconds. The header RateLimit of every answer says how many are left."
  ],
  "rate-limited": ["KV takes one write a second to a key.", "Wait for Retry-After seconds."],
  "over-quota": [
    "The owner's bytes, objects or requests are used up.",
    "Delete files, or wait for Retry-After seconds."
  ],
  "daily-limit": [
    "The day's KV operations, or the day's dollars that the spend cap allows, are used up.",
    "Wait until 00:00 UTC (Retry-After), or raise the allowance: docs/budget.md."
  ],
  undecodable: [
    "A stored value is not of the shape that its collection has. It was left as it is.",
    "Replace or delete it."
  ],
  misconfigured: [
    "A variable of the Worker cannot be read.",
    "A key with the scope admin is told which; the log tells, too."
  ],
  internal: ["The Worker met an error that it does not know.", "The log has the cause, under the request's id."],
  "webhook-failed": ["The receiver of the webhook did not take it.", "See that it answers 2xx, then send it again."],
  unavailable: [
    "No tier could tell whether there is such an entry: what keeps it is out of reach.",
    "Wait for Retry-After seconds and ask again. It is not known to be absent: write nothing in its place."
  ],
  "not-stored": [
    "No store acknowledged the write.",
    "Wait for Retry-After seconds and send it again; repeating it is safe. One under a condition needs a look at the entry first."
  ],
  "shard-full": [
    "The Durable Object that keeps the key holds 9.5 GB, and an object takes 10 GB at most.",
    "Delete entries, shorten their ttl, or spread the keys over more objects with POST /api/v1/admin/reshard. Deletes, and values that are smaller than what they replace, are taken meanwhile."
  ],
  "took-too-long": [
    "There was no answer within REQUEST_DEADLINE. A write may or may not have been taken.",
    "Send it again; one under a condition after a look at the entry."
  ],
  "no-market-source": [
    "The variable MARKET_SOURCE is not set.",
    "Set it: docs/deploying.md. npm start sets it to sample."
  ],
  "no-bucket": ["The Worker is bound to no R2 bucket.", "Bind FILES: docs/files.md."],
  "no-database": ["The Worker is bound to no D1 database.", "Bind DB and apply the migrations: docs/files.md."],
  "no-link-credentials": ["The secrets that sign links are missing.", "Set the R2_ variables: docs/files.md."],
  "no-api-key-configured": ["The secret API_KEYS is not set, so nobody may ask.", "Set it: docs/deploying.md."]
}

const escaped = (text: string): string => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;")

const page = (title: string, body: string): string => `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8" />
    <meta name="viewport" content="width=device-width, initial-scale=1" />
    <meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src data:; style-src 'self'" />
    <title>${title}</title>
    <link rel="icon" href="data:," />
    <link rel="stylesheet" href="/problems/problems.css" />
  </head>
  <body>
    <main>
${body}
    </main>
  </body>
</html>
`

const pageOf = (kind: Kind): string => {
  const [status, title] = kinds[kind]
  const [when, remedy] = explanations[kind]
  return page(
    `${kind}: ${escaped(title)}`,
    `      <p><a href="/problems/">Problems</a></p>
      <h1>${escaped(title)}</h1>
      <p><code>${kind}</code>, status ${status}</p>
      <h2>When</h2>
      <p>${escaped(when)}</p>
      <h2>What to do</h2>
      <p>${escaped(remedy)}</p>`
  )
}

const overview = (): string => {
  const rows = (Object.keys(kinds) as Array<Kind>).map(
    (kind) =>
      `        <li>${kinds[kind][0]} <a href="/problems/${kind}">${kind}</a>: ${escaped(explanations[kind][0])}</li>`
  )
  return page(
    "Problems",
    `      <p><a href="/">Larder</a> · <a href="/docs">API</a></p>
      <h1>Problems</h1>
      <p>Errors are problem documents (RFC 9457). Their <code>type</code> is one of these.</p>
      <ul>
${rows.join("\n")}
      </ul>`
  )
}

/** Texts of the static pages at `/problems/`, by their names there. */
export const problemPages: Readonly<Record<string, () => string>> = {
  "index.html": overview,
  ...Object.fromEntries((Object.keys(kinds) as Array<Kind>).map((kind) => [`${kind}.html`, () => pageOf(kind)]))
}
