/** A word with a swallowed `not`, with its apostrophe or, as it is often typed, without. */
const contracted =
  /^(?:is|are|was|were|do|does|did|wo|ca|could|should|would|has|have|had|must|need|might|ai)n'?t$|^cannot$/

const single = new Set(
  "not no never without neither nor none nobody nothing nowhere hardly scarcely rarely seldom lack lacks lacked lacking deny denies denied denying avoid avoids avoided avoiding avert averts averted averting dodge dodges dodged escape escapes escaped defy defies defied defying allay allays allayed dispel dispels dispelled overcome overcomes overcame unable refuses refused refusing stops stopped".split(
    " "
  )
)

/** Negations of two words. */
const double = new Set(
  "fail to,fails to,failed to,failing to,failure to,decline to,declines to,declined to,far from,free of,free from,instead of,rather than,anything but,shrug off,shrugs off,shrugged off,ward off,wards off,stave off,staves off,staved off,rule out,rules out,ruled out,yet to".split(
    ","
  )
)

/** What looks like a negation, and is none. */
const emphatic = new Set(
  "not only,not just,not merely,no doubt,no wonder,no question,nothing but,none other,never better,can't stop,cant stop,cannot stop".split(
    ","
  )
)

/** How many words of a text, from here, are a negation: 0, 1 or 2; `emphasis` where they only look like one. */
export const negationAt = (word: string, next: string): 0 | 1 | 2 | "emphasis" => {
  const pair = `${word} ${next}`
  if (emphatic.has(pair)) return "emphasis"
  if (double.has(pair)) return 2
  return single.has(word) || contracted.test(word) ? 1 : 0
}
