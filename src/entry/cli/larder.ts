import { parseArgs } from "node:util"
import * as Effect from "effect/Effect"
import packageJson from "../../../package.json" with { type: "json" }
import { type Format, formats } from "../replay/readers/formats.ts"
import { advise, textOf } from "./advise.ts"
import { CliError } from "./CliError.ts"
import { configurationFile, init, undo } from "./init.ts"
import { inspect } from "./inspect.ts"

const help = `larder ${packageJson.version}

  larder init [--config FILE] [--yes] [--undo]
      Adds to wrangler.jsonc or wrangler.toml what durable mode needs. Shows it first; --yes writes it.
  larder advise FILE… [--format F] [--staleness SECONDS] [--durability stored|buffered]
                      [--isolates N] [--json]
      The cheapest policy for each family of keys in a log or trace, and what it saves a month.
  larder replay …
      Feeds a workload through stacks of layers in virtual time: larder replay --help.
  larder inspect URL [--key KEY] [--watch]
      The ledger of a deployed Larder. The key may stand in LARDER_API_KEY.
  larder completion
      Completion for bash and zsh: source <(larder completion)

Exit codes: 0 done, 1 failed, 2 what was asked for cannot be done as it was asked.`

const completion = "complete -W 'init advise replay inspect completion --help --version' larder"

const print = (line: string): void => void process.stdout.write(`${line}\n`)

const options = {
  config: { type: "string" },
  yes: { type: "boolean" },
  undo: { type: "boolean" },
  format: { type: "string" },
  staleness: { type: "string" },
  durability: { type: "string" },
  isolates: { type: "string" },
  json: { type: "boolean" },
  key: { type: "string" },
  watch: { type: "boolean" },
  help: { type: "boolean" },
  version: { type: "boolean" }
} as const

const numberOf = (name: string, text: string | undefined, other: number, least: number, most: number): number => {
  if (text === undefined) return other
  const number = Number(text)
  if (!(number >= least && number <= most)) throw new CliError(`--${name} takes a number from ${least} to ${most}`)
  return number
}

const oneOf = <A extends string>(name: string, text: string | undefined, known: ReadonlyArray<A>): A | undefined => {
  if (text === undefined || known.includes(text as A)) return text as A | undefined
  throw new CliError(`--${name} takes one of ${known.join(", ")}`)
}

/** A line each ten seconds for as long as something runs. */
const withProgress = async <A>(what: string, run: Promise<A>): Promise<A> => {
  const began = Date.now()
  const timer = setInterval(() => {
    process.stderr.write(`${what}: ${Math.round((Date.now() - began) / 1000)} s\n`)
  }, 10_000)
  try {
    return await run
  } finally {
    clearInterval(timer)
  }
}

const main = async (args: ReadonlyArray<string>): Promise<void> => {
  const [command, ...rest] = args
  if (command === "replay") {
    process.argv = [process.argv[0]!, "larder replay", ...rest]
    await import("../replay/cli.ts")
    return
  }
  const parsed = () => {
    try {
      return parseArgs({ args: [...args], options, allowPositionals: true })
    } catch (error) {
      throw new CliError((error as Error).message.split(". ")[0]!)
    }
  }
  const { positionals, values } = parsed()
  if (values.version) return print(packageJson.version)
  const [name, ...operands] = positionals
  if (values.help || name === undefined) return print(help)
  switch (name) {
    case "init": {
      const file = configurationFile(values.config)
      for (const line of values.undo ? undo(file) : init(file, values.yes === true)) print(line)
      return
    }
    case "advise": {
      if (operands.length === 0) throw new CliError("advise needs a file: a log of requests, or a trace")
      const chosen = {
        format: oneOf("format", values.format, formats) as Format | undefined,
        staleness: numberOf("staleness", values.staleness, 60, 0, 86_400),
        durability: oneOf("durability", values.durability, ["stored", "buffered"] as const) ?? "stored",
        isolates: numberOf("isolates", values.isolates, 1, 1, 64)
      }
      const all = []
      for (const file of operands) {
        const advising = Effect.runPromise(Effect.either(advise(file, chosen)))
        const outcome = await withProgress(file, advising)
        if (outcome._tag === "Left") throw new CliError(outcome.left.message)
        if (values.json) all.push(outcome.right)
        else print(textOf(outcome.right))
      }
      if (values.json) print(JSON.stringify(all.length === 1 ? all[0] : all))
      return
    }
    case "inspect": {
      const [url] = operands
      if (url === undefined) throw new CliError("inspect needs the URL of a deployed Larder")
      do {
        for (const line of await inspect(url, values.key ?? process.env.LARDER_API_KEY ?? "")) print(line)
        if (values.watch) await new Promise((resolve) => setTimeout(resolve, 5000))
      } while (values.watch)
      return
    }
    case "completion":
      return print(completion)
    default:
      throw new CliError(`${name} is no command: see larder --help`)
  }
}

main(process.argv.slice(2)).catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.message : error}\n`)
  process.exitCode = error instanceof CliError ? 2 : 1
})
