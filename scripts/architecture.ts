/** Draws floors and rooms into docs/architecture.md from the imports of src. A test tells when they are not what this draws. */
import { readdirSync, readFileSync, writeFileSync } from "node:fs"
import { dirname, join } from "node:path"
import { fileURLToPath } from "node:url"

const floors = ["services", "layers", "programs", "entry"]

/** The room of a file, if it lies in one. */
const roomOf = (file: string): string | undefined => {
  const [src, floor = "", room = "", ...rest] = file.split("/")
  return src === "src" && floors.includes(floor) && rest.length > 0 ? room : undefined
}

/** Rooms with those that they import below the entry, as the files say. */
const importsOfRooms = (): ReadonlyMap<string, ReadonlySet<string>> => {
  const rooms = new Map<string, Set<string>>()
  for (const floor of floors.filter((floor) => floor !== "entry")) {
    for (const name of readdirSync(join("src", floor), { recursive: true, encoding: "utf8" })) {
      const file = join("src", floor, name)
      const room = roomOf(file)
      if (room === undefined || !file.endsWith(".ts")) continue
      const imports = rooms.get(room) ?? new Set()
      rooms.set(room, imports)
      for (const [, path] of readFileSync(file, "utf8").matchAll(/ from "(\.[^"]+)"/g)) {
        const other = roomOf(join(dirname(file), path!))
        if (other !== undefined && other !== room) imports.add(other)
      }
    }
  }
  return rooms
}

/** Without the edges that a longer way says as well, so that the picture can be read. */
const reduced = (rooms: ReadonlyMap<string, ReadonlySet<string>>): ReadonlyArray<readonly [string, string]> => {
  const reaches = (from: string, to: string): boolean =>
    [...(rooms.get(from) ?? [])].some((next) => next === to || reaches(next, to))
  return [...rooms]
    .sort(([a], [b]) => a.localeCompare(b))
    .flatMap(([room, imports]) =>
      [...imports]
        .filter((to) => ![...imports].some((other) => other !== to && reaches(other, to)))
        .sort()
        .map((to) => [room, to] as const)
    )
}

const count = (floor: string, room: string): number => {
  try {
    return readdirSync(join("src", floor, room), { recursive: true, encoding: "utf8" }).filter((it) =>
      it.endsWith(".ts")
    ).length
  } catch {
    return 0
  }
}

/** The picture, and on which floors each room has files. */
export const drawing = (): string => {
  const rooms = importsOfRooms()
  const names = [...rooms.keys()].sort()
  const edges = reduced(rooms).map(([from, to]) => `  ${from} --> ${to}`)
  const rows = names.map(
    (room) => `| ${room} | ${floors.map((floor) => (count(floor, room) > 0 ? "✓" : "")).join(" | ")} |`
  )
  return [
    "```mermaid\ngraph BT",
    ...edges,
    "```\n",
    `| room | ${floors.join(" | ")} |`,
    "|---|---|---|---|---|",
    ...rows
  ].join("\n")
}

const page = new URL("../docs/architecture.md", import.meta.url)

const marks = /(<!-- drawn by npm run architecture -->\n)[\s\S]*?(\n<!-- end -->)/

/** docs/architecture.md with the picture as it has to be. */
export const pageText = (): string =>
  readFileSync(page, "utf8").replace(marks, (_, begin: string, end: string) => `${begin}${drawing()}${end}`)

if (process.argv[1] === fileURLToPath(import.meta.url)) writeFileSync(page, pageText())
