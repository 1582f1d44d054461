/**
 * The rooms of src/services, src/layers and src/programs, from the ground up, each with the rooms that it may import,
 * types included. A room imports none that stands below it here, so there is no circle. `npm run check` enforces it.
 */
const rooms = {
  base: "",
  ledger: "",
  kv: "base ledger",
  store: "base kv ledger",
  compression: "base kv store",
  budget: "base kv ledger",
  aliasing: "base kv store",
  settings: "aliasing base budget kv store",
  repository: "settings store",
  notifications: "base kv settings",
  tiers: "base budget ledger settings store",
  monitoring: "aliasing base budget kv ledger notifications settings store tiers",
  batching: "base budget kv store tiers",
  limits: "base budget",
  durable: "base budget kv ledger limits monitoring settings store",
  "http-cache": "base durable store tiers",
  facade: "base durable kv ledger store tiers",
  simulation: "base budget durable kv ledger",
  snapshots: "base budget compression durable kv store",
  prefetch: "base budget compression durable ledger settings store tiers",
  packing: "base batching compression kv settings snapshots store tiers",
  routing: "base batching durable kv ledger packing prefetch settings snapshots store tiers",
  migration: "base durable kv ledger packing routing settings snapshots store tiers",
  database: "base ledger monitoring settings store tiers",
  // The applications: nothing above imports them. `replay` runs their scenarios.
  "static-data": "base kv ledger settings store",
  market: "base kv repository settings static-data store",
  alerts: "base market notifications repository settings store",
  files: "base compression database ledger settings",
  desk: "alerts market static-data store",
  replay: "alerts base kv ledger market notifications prefetch repository store tiers"
}

module.exports = Object.fromEntries(
  Object.entries(rooms).map(([room, imports]) => [room, imports === "" ? [] : imports.split(" ")])
)
