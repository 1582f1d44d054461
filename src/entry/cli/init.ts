import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { applyEdits, modify, parse as parseJsonc } from "jsonc-parser"
import { parse as parseToml } from "smol-toml"
import { CliError } from "./CliError.ts"

/** What durable mode needs of wrangler's configuration. */
const binding = { name: "CACHE_DO", class_name: "CacheDurableObject" }
const migration = { tag: "larder-v1", new_sqlite_classes: ["CacheDurableObject"] }
const flag = "nodejs_compat"

interface Configuration {
  readonly compatibility_flags?: ReadonlyArray<string>
  readonly durable_objects?: {
    readonly bindings?: ReadonlyArray<{ readonly name?: string; readonly class_name?: string }>
  }
  readonly migrations?: ReadonlyArray<{ readonly tag?: string; readonly new_sqlite_classes?: ReadonlyArray<string> }>
}

const missingIn = ({ compatibility_flags, durable_objects, migrations }: Configuration) => ({
  flag: compatibility_flags?.includes(flag) !== true,
  binding: durable_objects?.bindings?.some(({ class_name }) => class_name === binding.class_name) !== true,
  migration: migrations?.some(({ new_sqlite_classes }) => new_sqlite_classes?.includes(binding.class_name)) !== true
})

const jsonFormat = { formattingOptions: { insertSpaces: true, tabSize: 2 } }

/** Adds to the end of a list, or makes the list. */
const jsonWith = (text: string, path: ReadonlyArray<string>, value: unknown): string => {
  const list = path.reduce<unknown>(
    (at, name) => (at as { readonly [name: string]: unknown } | undefined)?.[name],
    parseJsonc(text)
  )
  const edits = Array.isArray(list)
    ? modify(text, [...path, list.length], value, { ...jsonFormat, isArrayInsertion: true })
    : modify(text, [...path], [value], jsonFormat)
  return applyEdits(text, edits)
}

const jsonAfter = (text: string): string => {
  const missing = missingIn(parseJsonc(text) as Configuration)
  let after = text
  if (missing.flag) after = jsonWith(after, ["compatibility_flags"], flag)
  if (missing.binding) after = jsonWith(after, ["durable_objects", "bindings"], binding)
  if (missing.migration) after = jsonWith(after, ["migrations"], migration)
  return after
}

const firstTable = (text: string): number => {
  const at = text.search(/^[ \t]*\[/m)
  return at === -1 ? text.length : at
}

/** At the front of the list of flags of the top level, whatever comments stand in it, or as a line of its own before the first table. */
const tomlWithFlag = (text: string): string => {
  const end = firstTable(text)
  const head = text.slice(0, end)
  const list = /^([ \t]*compatibility_flags[ \t]*=[ \t]*\[)([^\]]*)(\])/m
  if (list.test(head)) {
    const changed = head.replace(list, (_, open: string, items: string, close: string) => {
      const isEmpty = items.replace(/#.*$/gm, "").trim() === ""
      return `${open}"${flag}"${isEmpty ? "" : items.startsWith("\n") ? "," : ", "}${items.startsWith("\n") ? items : items.trimStart()}${close}`
    })
    return changed + text.slice(end)
  }
  return `${head}${head === "" || head.endsWith("\n") ? "" : "\n"}compatibility_flags = ["${flag}"]\n${text.slice(end)}`
}

const tomlAfter = (text: string): string => {
  const missing = missingIn(parseToml(text) as Configuration)
  let after = missing.flag ? tomlWithFlag(text) : text
  const ends = (block: string): void => {
    after = `${after}${after.endsWith("\n") || after === "" ? "" : "\n"}\n${block}`
  }
  if (missing.binding)
    ends(`[[durable_objects.bindings]]\nname = "${binding.name}"\nclass_name = "${binding.class_name}"\n`)
  if (missing.migration)
    ends(`[[migrations]]\ntag = "${migration.tag}"\nnew_sqlite_classes = ["${binding.class_name}"]\n`)
  const left = missingIn(parseToml(after) as Configuration)
  if (left.flag || left.binding || left.migration) {
    throw new CliError("wrangler.toml is written in a way that cannot be edited safely: add the three parts by hand")
  }
  return after
}

/** The configuration with what durable mode needs, comments and layout kept; the same text when it is there. */
export const configured = (file: string, text: string): string =>
  file.endsWith(".toml") ? tomlAfter(text) : jsonAfter(text)

/** Lines that were added or changed, as a diff shows them. */
export const changesOf = (before: string, after: string): ReadonlyArray<string> => {
  const old = before.split("\n")
  const changed: Array<string> = []
  let at = 0
  for (const line of after.split("\n")) {
    const found = old.indexOf(line, at)
    if (found === -1) changed.push(`+ ${line}`)
    else {
      changed.push(...old.slice(at, found).map((lost) => `- ${lost}`))
      at = found + 1
    }
  }
  return changed
}

const files = ["wrangler.jsonc", "wrangler.json", "wrangler.toml"]

export const configurationFile = (given: string | undefined): string => {
  const found = given ?? files.find((file) => existsSync(file))
  if (found === undefined || !existsSync(found)) {
    throw new CliError(`no ${given ?? files.join(", ")} here: run this in the folder of your Worker, or name --config`)
  }
  return found
}

const backupOf = (file: string): string => `${file}.before-larder`

const code = [
  "Then, in your Worker:",
  "",
  `  import { withLarder } from "larder-kv"`,
  `  import { durable } from "larder-kv/durable"`,
  `  export { CacheDurableObject } from "larder-kv/durable"`,
  "  export default withLarder(worker, { store: durable() })"
]

/** Lines to print; writes only with `yes`. */
export const init = (file: string, yes: boolean): ReadonlyArray<string> => {
  const before = readFileSync(file, "utf8")
  const after = configured(file, before)
  if (after === before) return [`${file} has all that durable mode needs; nothing was changed.`]
  const shown = [`${file}:`, ...changesOf(before, after).map((line) => `  ${line}`)]
  if (!yes) return [...shown, "", "Nothing was written: run it again with --yes to write this."]
  writeFileSync(backupOf(file), before)
  writeFileSync(file, after)
  return [...shown, "", `Written. \`larder init --undo\` takes it back (from ${backupOf(file)}).`, "", ...code]
}

export const undo = (file: string): ReadonlyArray<string> => {
  const backup = backupOf(file)
  if (!existsSync(backup)) return [`${backup} is not there: nothing to take back.`]
  const before = readFileSync(backup, "utf8")
  if (configured(file, before) !== readFileSync(file, "utf8")) {
    throw new CliError(`${file} was changed since: compare it with ${backup}, and delete that when you are done`)
  }
  writeFileSync(file, before)
  rmSync(backup)
  return [`${file} is as it was before.`]
}
