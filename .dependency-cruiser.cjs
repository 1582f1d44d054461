const rooms = require("./scripts/rooms.cjs")

const deny = (name, comment, from, to) => ({ name, comment, severity: "error", from: { path: from }, to: { path: to } })

/** A room may import those that scripts/rooms.cjs allows it, on whatever floor. */
const roomRules = Object.entries(rooms).map(([room, imports]) => ({
  name: `room-${room}`,
  comment: "scripts/rooms.cjs is the table of what may be imported",
  severity: "error",
  from: { path: `^src/(services|layers|programs)/${room}/` },
  to: {
    path: "^src/(services|layers|programs)/[^/]+/",
    pathNot: `^src/(services|layers|programs)/(${[room, ...imports].join("|")})/`
  }
}))

module.exports = {
  forbidden: [
    ...roomRules,
    {
      name: "internal-is-private",
      comment: "what lies in `internal` is its own room's",
      severity: "error",
      from: { path: "^src/[^/]+/([^/]+)" },
      to: { path: "^src/layers/[^/]+/internal/", pathNot: "^src/layers/$1/" }
    },
    deny(
      "the-core-knows-no-application",
      "an application plugs in through Application; worker.ts lists them",
      "^src/entry/((core|app|Application|cacheApplication|cacheRoutes|control|http|isolates|scheduled)\\.ts$|(admin|budget|http|monitoring|store)/)",
      "^src/[^/]+/(market|alerts|desk|files|static-data)/"
    ),
    deny(
      "services-are-leaves",
      "a promise knows nothing of who keeps it",
      "^src/services/",
      "^src/(layers|programs|entry)/"
    ),
    deny(
      "programs-see-only-services",
      "which layer runs is the entry's choice",
      "^src/programs/",
      "^src/(layers|entry)/"
    ),
    deny("layers-see-only-services", "a backend knows nothing of use cases", "^src/layers/", "^src/(programs|entry)/"),
    deny("workers-api-only-at-the-edge", "", "^src/(services|programs)/", "^cloudflare:"),
    {
      name: "only-the-self-test-touches-kv",
      comment:
        "every application read and write goes through Store; what is left out provides Kv, or knows its limits only",
      severity: "error",
      from: {
        path: "^src/(programs|entry)/",
        pathNot:
          "^src/(programs/(durable/checkStore|monitoring/selfTestKv)|entry/(app|Application|budget/budgetHeader|monitoring/observer|objectOperations|http/parameters|facade/(namespace|durableStore)|effect/layerLarder|package/effect|replay/\\w+))\\.ts$"
      },
      to: { path: "^src/(services/kv/Kv\\.ts$|layers/\\w+/Kv)" }
    },
    {
      name: "cli-packages-stay-in-the-cli",
      comment: "they must never reach the Worker bundle",
      severity: "error",
      from: { path: "^src/", pathNot: "^src/entry/replay/" },
      to: { path: "node_modules/(@effect/(cli|platform-node|printer)|csv-parse|cli-progress|uplot|wrangler|miniflare)" }
    },
    {
      name: "no-cycles",
      severity: "error",
      from: {},
      to: { circular: true, viaOnly: { dependencyTypesNot: ["type-only"] } }
    },
    { name: "no-orphans", severity: "error", from: { orphan: true, pathNot: "^src/entry/|\\.d\\.ts$" }, to: {} },
    { name: "no-index", severity: "error", comment: "import the file", from: {}, to: { path: "^src/.*/index\\.ts$" } }
  ],
  options: {
    tsPreCompilationDeps: true,
    tsConfig: { fileName: "tsconfig.json" },
    doNotFollow: { path: "node_modules" }
  }
}
