import { existsSync, readdirSync, readFileSync } from "node:fs"
import { dirname, join } from "node:path"
import * as Duration from "effect/Duration"
import { describe, expect, it } from "vitest"
import { pageText } from "../../scripts/architecture.ts"
import { marketDesk } from "../../src/entry/desk/marketDesk.ts"
import { fileService } from "../../src/entry/files/fileService.ts"
import { monitorApplication } from "../../src/entry/monitoring/monitorApplication.ts"
import { notificationSettings } from "../../src/services/notifications/NotificationSettings.ts"
import { accessSettings } from "../../src/services/settings/AccessSettings.ts"
import { defaultsOf } from "../../src/services/settings/model/Setting.ts"
import { declared, valuesOf } from "../../src/services/settings/Settings.ts"

const text = (path: string): string => readFileSync(path, "utf8")

const pages = ["README.md", ...readdirSync("docs").map((name) => join("docs", name))].filter((it) => it.endsWith(".md"))

const seconds = { minute: 60, hour: 3600, day: 86_400 }

/** A ttl in the words of the documents. */
const lifeOf = (ttl: Duration.Duration): string => {
  if (!Duration.isFinite(ttl)) return "for ever"
  const unit = (["day", "hour", "minute"] as const).find((it) => Duration.toSeconds(ttl) % seconds[it] === 0)!
  const count = Duration.toSeconds(ttl) / seconds[unit]
  return `${count} ${unit}${count === 1 ? "" : "s"}`
}

describe("the documents", () => {
  it("name every program once, in the table of docs/architecture.md", () => {
    const rows = text("docs/architecture.md")
      .split("\n")
      .filter((line) => line.startsWith("|"))
      .join("\n")
    for (const name of readdirSync("src/programs", { recursive: true, encoding: "utf8" }).filter((it) =>
      it.endsWith(".ts")
    )) {
      expect(rows.split(`](../src/programs/${name})`).length - 1, name).toBe(1)
    }
  })

  it("draw floors and rooms as `npm run architecture` does", () => {
    expect(text("docs/architecture.md")).toBe(pageText())
  })

  it("name every variable that is read, with its row in docs/deploying.md", () => {
    const groups = [
      declared,
      accessSettings.settings,
      notificationSettings.settings,
      ...[monitorApplication, marketDesk, fileService].flatMap(({ settings }) =>
        settings.map((group) => group.settings)
      )
    ]
    const read = groups.flatMap((settings) => Object.values(settings).map(({ variable }) => variable))
    expect(read.length).toBeGreaterThan(30)
    const rows = text("docs/deploying.md")
      .split("\n")
      .filter((line) => line.startsWith("| `"))
      .map((line) => line.split(" | ")[0])
      .join("\n")
    for (const name of read) expect(rows, name).toContain(`\`${name}\``)
  })

  it("say of each collection how long an entry without a ttl lives", () => {
    const applications = [monitorApplication, marketDesk, fileService].flatMap(({ collections }) => collections ?? [])
    const collections = [...valuesOf(defaultsOf(declared), applications).collections.values()]
    expect(collections.length).toBeGreaterThan(10)
    const rows = [...text("docs/deploying.md").matchAll(/^\| `([a-z-]+)` \| the (?:cache|market desk).* \| (.+) \|$/gm)]
    const said = rows.map(([, name, life]) => [name, life!.split(",")[0]])
    expect(said).toStrictEqual(collections.map(({ name, policy }) => [name, lifeOf(policy.ttl)]))
    expect(said).toContainEqual(["default", "for ever"])
    for (const page of ["README.md", "docs/consistency.md", "docs/deploying.md"]) {
      expect(text(page), page).toMatch(/without a\s+(?:ttl|ttl of its own)[^.]*for\s+ever/)
    }
  })

  it("name every cron of wrangler.toml in docs/deploying.md", () => {
    const crons = [...text("wrangler.toml").matchAll(/^ {2}"([^"]+)",?$/gm)].map(([, cron]) => cron!)
    expect(crons.length).toBeGreaterThan(2)
    for (const cron of crons) expect(text("docs/deploying.md")).toContain(`| \`${cron}\` |`)
  })

  it("lead to files that are there", () => {
    for (const page of pages) {
      for (const [, target] of text(page).matchAll(/\]\((?!https?:|#)([^)#]+)/g)) {
        expect(existsSync(join(dirname(page), target!)), `${page}: ${target}`).toBe(true)
      }
    }
  })
})
