// The module of a lexicon of words in lower case, each word written as how many characters it begins with like the one
// before it (a capital letter: `B` is one), and the rest: a third less to download than the words in full.

const shared = (a, b) => {
  let length = 0
  while (length < 25 && length < a.length && a[length] === b[length]) length++
  return length
}

const coded = (words) =>
  words.sort().map((word, at) => {
    const length = shared(word, words[at - 1] ?? "")
    return String.fromCharCode(65 + length) + word.slice(length)
  })

/** @param name of the export @param valences by word */
export const frontCoded = (name, valences) => {
  const byValence = new Map()
  for (const [word, valence] of Object.entries(valences))
    byValence.set(valence, [...(byValence.get(valence) ?? []), word])
  const lines = [...byValence].map(([valence, words]) => `${valence}${coded(words).join("")}`)
  return `export const ${name} = {}
for (const line of ${JSON.stringify(lines.join("\n"))}.split("\\n")) {
  let word = ""
  for (const part of line.match(/[A-Z][^A-Z]*/g)) {
    word = word.slice(0, part.charCodeAt(0) - 65) + part.slice(1)
    ${name}[word] = Number.parseInt(line)
  }
}`
}
