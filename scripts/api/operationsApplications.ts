import type { Operations } from "./operations.ts"

const rule = {
  symbol: "AAPL",
  condition: { kind: "price-above", price: 250 },
  webhook: "https://example.com/hook"
}

/** Of the market desk and the file application. */
export const applicationOperations: Operations = {
  "sectors.snapshot": {
    summary: "How the sectors of the market stand, and what moved it",
    description: "One packed value holds what it needs: one read where it is kept.",
    status: 200
  },
  "market.quotes": { summary: "The last trades of some symbols", query: { symbols: "AAPL,MSFT" }, status: 200 },
  "market.stream": {
    summary: "The same as server-sent events, each when it changes",
    description:
      "Events `quote` and `unavailable`. It ends after some minutes; clients that come back with `Last-Event-ID` get what they missed.",
    query: { symbols: "AAPL,MSFT" },
    status: 200
  },
  "market.sentiment": { summary: "What the press says of some symbols", query: { symbols: "AAPL" }, status: 200 },
  "market.score": {
    summary: "The sentiment of headlines of your own, each and together",
    body: { headlines: ["Profits surge", "Shares plunge after a disappointing quarter"] },
    status: 200
  },
  "market.signals": {
    summary: "What the rules have expected, and whether they were right",
    query: { symbol: "AAPL" },
    status: 200
  },
  "market.report": {
    summary: "The report of a trading day of the New York Stock Exchange",
    path: { date: "2026-11-25" },
    status: 200
  },
  "market.publish": {
    summary: "Publish the report of the last trading day that is over, unless it is there",
    status: 200
  },
  "alerts.list": { summary: "All alerts, with their states", status: 200 },
  "alerts.create": {
    summary: "Make an alert",
    description:
      "It is evaluated every five minutes. Its webhook is posted JSON, signed as Standard Webhooks are: `webhook-id`, `webhook-timestamp` and `webhook-signature: v1,<base64>`, HMAC-SHA256 of `<id>.<timestamp>.<body>`.",
    body: rule,
    status: 201
  },
  "alerts.deadLetters": { summary: "Notifications that nobody took, for 30 days", status: 200 },
  "alerts.resend": {
    summary: "Send a dead letter again",
    description:
      "Under the same key and with the same body. What is taken is no dead letter any more; a webhook that had answered 410 is on again.",
    path: { key: "2026-11-25-abc" },
    status: 200
  },
  "alerts.get": { summary: "One alert, with its state", path: { id: "abc" }, status: 200 },
  "alerts.remove": { summary: "Delete an alert and its state", path: { id: "abc" }, status: 204 },
  "alerts.sweep": {
    summary: "Evaluate all alerts now",
    description: "What the cron does every five minutes. Harmless to repeat.",
    status: 200
  },
  "database.statements": {
    summary: "What the application's queries cost",
    description: "Statistics of each statement, since this isolate began; the most rows read first.",
    status: 200
  },
  "database.advice": {
    summary: "Which indexes the application's queries lack",
    description: "Tried on an empty copy of the schema, and never applied by itself.",
    status: 200
  },
  "files.list": { summary: "List files", query: { prefix: "hello", limit: "10" }, status: 200 },
  "files.read": {
    summary: "Read a file",
    description: "Ranges, conditions, and the codings that the client accepts.",
    path: { key: "hello.txt" },
    status: 200
  },
  "files.put": {
    summary: "Write a file",
    description: "At most 100 MiB; `?ttl=` in seconds, up to 31536000.",
    path: { key: "hello.txt" },
    headers: { "Content-Type": "text/plain" },
    body: "hello",
    status: 201
  },
  "files.delete": { summary: "Delete a file", path: { key: "hello.txt" }, status: 204 },
  "files.presign": {
    summary: "Sign links to R2 itself",
    description: "One with PUT needs the scope `write`.",
    body: { links: [{ method: "GET", key: "hello.txt", expiresIn: 3600 }] },
    status: 200
  },
  "storage.startUpload": {
    summary: "Begin an upload by parts",
    body: { key: "parts.bin", bytes: 21 },
    status: 201
  },
  "storage.upload": { summary: "What has arrived of an upload", path: { id: "abc" }, status: 200 },
  "storage.abortUpload": { summary: "Abandon an upload", path: { id: "abc" }, status: 204 },
  "storage.part": {
    summary: "Send a part",
    path: { id: "abc", part: "1" },
    headers: { "Content-Type": "application/octet-stream" },
    body: "the bytes of the part",
    status: 204
  },
  "storage.completeUpload": { summary: "Make the file of the parts that arrived", path: { id: "abc" }, status: 200 },
  "storage.share": {
    summary: "Make a public link to a file",
    body: { key: "hello.txt", expiresIn: 3600 },
    status: 201
  },
  "storage.shares": { summary: "The links that are valid", status: 200 },
  "storage.withdraw": { summary: "Withdraw a link", path: { id: "abc" }, status: 204 },
  "storage.users": { summary: "Whose files the key reads and writes, and which other keys do", status: 200 },
  "storage.addUser": { body: { key: "another-key", name: "Ada" }, status: 201 },
  "storage.removeUser": { summary: "Withdraw a key that was added", path: { id: "abc" }, status: 204 },
  "storage.usage": { summary: "What is used of the quotas", status: 200 },
  "storage.audit": { summary: "The last changes", status: 200 },
  "storage.shared": { summary: "Read a shared file", description: "Public.", path: { token: "abc" }, status: 200 }
}
