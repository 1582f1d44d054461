/**
 * What the general lexicon does not know of markets, or takes for something else: word and valence from -5 to 5. Zero
 * unsays the lexicon: a `share` is not generosity here.
 */
const words = `
beat 3 beats 3 beating 2 topped 2 tops 2 exceeds 2 exceeded 2 surpasses 2 surpassed 2
miss -3 misses -3 missed -3 missing -2 shortfall -3 disappointing -3 lags -2 lagging -2
upgrade 3 upgrades 3 upgraded 3 downgrade -3 downgrades -3 downgraded -3
outperform 3 outperforms 3 underperform -3 underperforms -3 overweight 2 underweight -2
raise 2 raises 2 raised 2 lifts 2 lifted 2 boosts 2 cut -2 cuts -2 slashes -3 slashed -3 trims -1 lowers -2 lowered -2
surge 3 surges 3 surged 3 soar 4 soars 4 soared 4 jump 2 jumps 2 jumped 2 rally 3 rallies 3 rallied 3
climb 2 climbs 2 climbed 2 gain 2 gains 2 gained 2 rebound 2 rebounds 2 rebounded 2 rise 2 rises 2 rose 2
plunge -4 plunges -4 plunged -4 tumble -3 tumbles -3 tumbled -3 slump -3 slumps -3 slumped -3 sink -3 sinks -3 sank -3
slide -2 slides -2 slid -2 fall -2 falls -2 fell -2 drop -2 drops -2 dropped -2 slips -1 slipped -1 dips -1 dipped -1
bullish 3 bearish -3 tailwind 2 tailwinds 2 headwind -2 headwinds -2 momentum 1 demand 1
profit 2 profits 2 profitable 2 loss -2 losses -2 unprofitable -2 writedown -3 impairment -2 dilution -2
buyback 2 buybacks 2 dividend 1 dividends 1 layoffs -2 layoff -2 restructuring -1 bankruptcy -5 insolvency -5
default -3 defaults -3 recall -2 recalls -2 probe -3 probes -3 subpoena -3 lawsuit -2 lawsuits -2 antitrust -2 fined -3
delay -2 delays -2 delayed -2 shortage -2 shortages -2 halts -2 halted -2 outage -2 breach -3 breakthrough 3 approval 2
slowdown -2 slows -1 slowing -1 accelerates 2 accelerating 2 expands 2 expansion 2 robust 2 resilient 2 soft -1 weak -2
volatile -1 uncertainty -2 record 1 wins 3 win 3 secures 2 partnership 1 overvalued -2 undervalued 1
share 0 shares 0 interest 0 gross 0 crude 0 cancer 0 vice 0 debt -1 tax 0 fire 0 fires 0 alert 0 liability 0
growing 2 growth 2 apple 0 united 0 best 2 intelligence 0 security 0 securities 0 care 0 energy 0 natural 0 top 1 chief 0
`

/** Two words that say another thing than each of them alone. */
const phrases = `
record high 4,all-time high 4,record low -4,all-time low -4,profit warning -4,cuts guidance -4,raises guidance 4
lowers guidance -4,cut guidance -4,raised guidance 4,job cuts -2,short seller -2,rate cut 2,rate cuts 2,rate hike -2
rate hikes -2,price cuts -2,cost cuts 1,going concern -4,class action -3,beats estimates 4,misses estimates -4
`

const wordsOf = (): Iterable<readonly [string, number]> => {
  const parts = words.trim().split(/\s+/)
  return Array.from(
    { length: parts.length / 2 },
    (_, index) => [parts[2 * index]!, Number(parts[2 * index + 1])] as const
  )
}

export const financeWords: ReadonlyMap<string, number> = new Map(wordsOf())

export const financePhrases: ReadonlyMap<string, number> = new Map(
  phrases
    .trim()
    .split(/[,\n]/)
    .map((line) => {
      const at = line.lastIndexOf(" ")
      return [line.slice(0, at), Number(line.slice(at + 1))] as const
    })
)
