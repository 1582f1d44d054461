/** A word with a swallowed `not`, with its apostrophe or, as it is often typed, without. */
const contracted =
  /^(?:is|are|was|were|do|does|did|wo|ca|could|should|would|has|have|had|must|need|might|ai)n'?t$|^cannot$/

const single = new Set(
  "not no never without neither nor none nobody nothing nowhere hardly scarcely rarely seldom lack lacks lacked lacking deny denies denied denying avoid avoids avoided avoiding avert averts averted averting dodge dodges dodged escape escapes escaped defy defies defied defying allay allays allayed dispel dispels dispelled overcome overcomes overcame unable refuses refused refusing stops stopped dismiss dismisses dismissed dismissing zero".split(
    " "
  )
)

/** Negations of two words. */
const double = new Set(
  "fail to,fails to,failed to,failing to,failure to,decline to,declines to,declined to,far from,free of,free from,instead of,rather than,anything but,shrug off,shrugs off,shrugged off,ward off,wards off,stave off,staves off,staved off,rule out,rules out,ruled out,yet to,no longer,barely any,hardly any".split(
    ","
  )
)

/** What looks like a negation, and is none. */
const emphatic = new Set(
  "not only,not just,not merely,no doubt,no wonder,no question,nothing but,none other,never better,can't stop,cant stop,cannot stop,can't shake,cant shake,cannot shake,no end,a few,a little".split(
    ","
  )
)

/** Of the noun behind them there is too little to tell: they reach two words. */
const scarce = new Set("few fewer less little".split(" "))

export const isScarce = (word: string): boolean => scarce.has(word)

/** `Recovers from a weak quarter`: that is behind. */
export const isBehind = (word: string, before: string): boolean =>
  word === "from" && /^(?:recover|rebound|bounc|emerg)/.test(before)

/** What is over, by these words behind it. */
const over =
  /^(?:end(?:s|ed)?|fades?|faded|abate[sd]?|subsides?d?|evaporate[sd]?|vanish(?:es|ed)?|stall(?:s|ed)?|averted|avoided|denied|dismissed|rejected|overturned|dispelled|allayed|overcome)$/

/** Words of a text, from here, that say that what was named before is over. `later`: whether the clause goes on. */
export const endingAt = (word: string, next: string, third: string, later: boolean): number => {
  if (/^(?:is|are|was|were)$/.test(word) && next === "over") return 2
  if (word === "over" && !later) return 1
  if (word === "no" && next === "more" && third === "") return 2
  if (/^(?:run|runs|ran|running)$/.test(word) && next === "out" && third === "of") return 4
  if (!over.test(word)) return 0
  // `Denied` in front of something denies that.
  return later && !/^(?:at|in|on|for|by|after|as|with|of)$/.test(next) && single.has(word) ? 0 : 1
}

/** How many words of a text, from here, are a negation: 0, 1 or 2; `emphasis` where they only look like one. */
export const negationAt = (word: string, next: string): 0 | 1 | 2 | "emphasis" => {
  const pair = `${word} ${next}`
  if (emphatic.has(pair)) return "emphasis"
  if (double.has(pair)) return 2
  return single.has(word) || contracted.test(word) ? 1 : 0
}
