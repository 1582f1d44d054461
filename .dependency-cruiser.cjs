const deny = (name, comment, from, to) => ({ name, comment, severity: "error", from: { path: from }, to: { path: to } })

module.exports = {
  forbidden: [
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
          "^src/(programs/monitoring/selfTestKv|entry/(app|Application|budget/budgetHeader|objectOperations|http/parameters|facade/namespace|replay/\\w+))\\.ts$"
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
