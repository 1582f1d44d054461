/** Verbs of markets, and how good their news is, from -5 to 5. Each stands for its regular forms. */
const verbs = `
4 soar skyrocket
3 surge rally outperform upgrade thrive boom triumph
2 gain climb jump rebound recover improve strengthen advance exceed surpass top lift boost raise expand accelerate impress
2 delight succeed prosper flourish increase leap spike bounce double triple
1 stabilize stabilise
-4 plunge plummet collapse crater nosedive tank crash implode
-3 tumble slump miss slash downgrade underperform disappoint default probe slaughter
-2 drop decline lower shrink weaken worsen deteriorate struggle stumble stall suffer falter delay halt warn retreat fade languish
-2 decrease widen stagnate flounder dive recall retrench
-1 slow slip dip trim ease cool
`

/** What the rule for regular verbs does not make, nouns and adjectives. Zero unsays the general lexicon. */
const words = `
beat 3 beats 3 beating 2 beaten -1 rise 2 rises 2 rising 2 rose 2 risen 2 grow 2 grows 2 growing 2 grew 2 grown 2
shine 2 shines 2 shone 2 shining 2 win 3 wins 3 won 3 winning 3 winner 3 winners 3 leapt 2 dove -2
fall -2 falls -2 falling -2 fell -2 fallen -2 sink -3 sinks -3 sank -3 sunk -3 sinking -3 slide -2 slides -2 sliding -2
slid -2 cut -2 cuts -2 cutting -2 lose -3 loses -3 lost -3 losing -3 shrank -2 shrunk -2 loser -3 losers -3
shortfall -3 disappointing -3 disappointment -3 lags -2 lagging -2 missing -2 overweight 2 underweight -2
bullish 3 bearish -3 tailwind 2 tailwinds 2 headwind -2 headwinds -2 momentum 1 demand 1 upbeat 2 downbeat -2
profit 2 profits 2 profitable 2 loss -2 losses -2 unprofitable -2 writedown -3 impairment -2 dilution -2
buyback 2 buybacks 2 dividend 1 dividends 1 layoffs -2 layoff -2 restructuring -1 bankruptcy -5 insolvency -5
subpoena -3 lawsuit -2 lawsuits -2 antitrust -2 fined -3 fraud -4 scandal -4 turmoil -3 rout -3 selloff -3 meltdown -4
squeeze -2 shortage -2 shortages -2 outage -2 breach -3 breakthrough 3 approval 2 recession -3 crisis -3 slowdown -2 contraction -2
robust 2 resilient 2 soft -1 softer -1 weak -2 weaker -2 weakest -3 strong 2 stronger 2 strongest 3 solid 2 stellar 3
healthy 2 better 2 worse -3 worst -3 great 3 terrible -3 poor -2 dismal -3 bleak -3 gloomy -2 grim -3 rosy 2 bright 2
volatile -1 uncertainty -2 record 1 secures 2 secured 2 partnership 1 overvalued -2 undervalued 1 successful 2
relief 2 fears -2 fear -2 concerns -2 concern -2 worries -2 worry -2 doubts -2 doubt -2 risks -1 optimism 2 optimistic 2
pessimism -2 pessimistic -2 recovery 2 expansion 2 improvement 2 improvements 2 growth 2 success 3 failure -3 higher 1 lower -1
share 0 shares 0 interest 0 gross 0 crude 0 cancer 0 vice 0 debt -1 tax 0 fire 0 fires 0 alert 0 liability 0
apple 0 united 0 best 2 intelligence 0 security 0 securities 0 care 0 energy 0 natural 0 chief 0 feared -1 expected 0 exclusive 0
novo 0 alphabet 0 visa 0 target 0 progressive 0
`

/** Words that together say another thing than each of them alone. */
const phrases = `
record high 4,all time high 4,record low -4,all time low -4,profit warning -4,cuts guidance -4,raises guidance 4
lowers guidance -4,cut guidance -4,raised guidance 4,job cuts -2,short seller -2,rate cut 2,rate cuts 2,rate hike -2
rate hikes -2,price cuts -2,cost cuts 1,going concern -4,class action -3,beats estimates 4,misses estimates -4
raises concerns -3,raises doubts -3,raises fears -3,raises questions -2,raise concerns -3,beaten down -3,sell off -3
cuts forecast -3,raises forecast 3,cuts outlook -3,raises outlook 3,cuts dividend -3,raises dividend 3,cuts jobs -2
`

/** Regular forms: `plunge` is also `plunges`, `plunged` and `plunging`; `rally` is `rallies` and `rallied`. */
const formsOf = (verb: string): ReadonlyArray<string> => {
  const stem = verb.replace(/e$/, "")
  if (/[^aeiou]y$/.test(verb)) return [verb, `${verb.slice(0, -1)}ies`, `${verb.slice(0, -1)}ied`, `${verb}ing`]
  const doubled = /^[^aeiou]*[aeiou][^aeiouwxy]$/.test(verb) ? `${verb}${verb.at(-1)}` : stem
  const third = /(s|sh|ch|x|z)$/.test(verb) ? `${verb}es` : `${verb}s`
  return [verb, third, `${doubled}ed`, `${doubled}ing`]
}

const pairs = function* (): Iterable<readonly [string, number]> {
  for (const line of verbs.trim().split("\n")) {
    const [valence, ...names] = line.split(" ")
    for (const name of names) for (const form of formsOf(name)) yield [form, Number(valence)]
  }
  const listed = words.trim().split(/\s+/)
  for (let at = 0; at < listed.length; at += 2) yield [listed[at]!, Number(listed[at + 1])]
}

/** What the general lexicon does not know of markets, or takes for something else: word and valence from -5 to 5. */
export const financeWords: ReadonlyMap<string, number> = new Map(pairs())

export const financePhrases: ReadonlyMap<string, number> = new Map(
  phrases
    .trim()
    .split(/[,\n]/)
    .map((line) => {
      const at = line.lastIndexOf(" ")
      return [line.slice(0, at), Number(line.slice(at + 1))] as const
    })
)

/** More of these is bad news, and less of them good. */
export const badWhenMore: ReadonlySet<string> = new Set(
  "loss losses cost costs debt debts inflation unemployment layoffs defaults expenses deficit deficits jobless claims shortage deficit fear concern worry delay complaint fears concerns worries risks delays shortages complaints bankruptcies".split(
    " "
  )
)

/** What sentences are about rather than what they say of it. */
export const subjectNouns: ReadonlySet<string> = new Set([
  ...badWhenMore,
  ..."profit profits growth demand dividend dividends recovery expansion momentum optimism recession buyback".split(" ")
])

/** A name of a movement in front of one of them is what is feared: `slump fears`. */
export const dreads: ReadonlySet<string> = new Set("fears fear concerns concern worries worry risk risks".split(" "))

const movements =
  "rise grow climb increase jump surge soar spike mount widen fall drop decline shrink narrow decrease ease lower cut reduce cool slow slide plunge tumble slump sink plummet"

/** Words that say that something is more, or less. */
export const directions: ReadonlySet<string> = new Set([
  ...movements.split(" ").flatMap(formsOf),
  ..."rose risen grew grown growing fell fallen cutting shrank sank sunk slid higher lower larger smaller narrower wider".split(
    " "
  )
])

/** Movements that tell by what moves alone, up above zero and down below. */
export const movementOf: ReadonlyMap<string, number> = new Map([
  ...["mount", "widen"].flatMap((verb) => formsOf(verb).map((form) => [form, 2] as const)),
  ...["narrow", "reduce"].flatMap((verb) => formsOf(verb).map((form) => [form, -2] as const)),
  ...["larger", "wider"].map((word) => [word, 2] as const),
  ...["smaller", "narrower"].map((word) => [word, -2] as const)
])
