export {}

// npm run bench -- NAME [arguments]: one benchmark by name, each comparing side by side in one run.
const names = [
  "memory",
  "hitratio",
  "http",
  "start",
  "scale",
  "durable",
  "packing",
  "prefetch",
  "sectors",
  "ablation",
  "amplification",
  "lists",
  "joins",
  "segments",
  "compression",
  "http-cache",
  "files",
  "database",
  "peers",
  "packageStart"
] as const
const [, , name, ...rest] = process.argv
if (!names.some((known) => known === name)) {
  console.error(`Name a benchmark: npm run bench -- ${names.join(" | ")}`)
  process.exit(2)
}
process.argv = [...process.argv.slice(0, 2), ...rest]
await import(`./${name}.ts`)
