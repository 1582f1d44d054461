import { createRequire } from "node:module"
import type { Page } from "playwright-core"

const script = createRequire(import.meta.url).resolve("axe-core/axe.min.js")

interface Violation {
  readonly id: string
  readonly nodes: ReadonlyArray<{ readonly html: string }>
}

/** What axe finds wrong with a page as it stands, one line a rule. */
export const violationsOf = async (page: Page): Promise<ReadonlyArray<string>> => {
  await page.addScriptTag({ path: script }).catch(() => undefined)
  const found = await page.evaluate(async () => {
    const { axe } = globalThis as unknown as { axe: { run: () => Promise<{ violations: Array<Violation> }> } }
    return (await axe.run()).violations
  })
  return found.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(" ")}`)
}
