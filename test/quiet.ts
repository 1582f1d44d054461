/**
 * What workerd and its test pool print though nothing is wrong: the pool's own steps; that objects end when one test
 * file follows another; V8's profiler hooks; and in tests of what becomes of a request's work when its client leaves,
 * that workerd cancels it.
 */
const harmless = [
  /\[vpw:(debug|info)\]/,
  /changed, invalidating this Durable Object/,
  /CODE_MOVED for unknown code block/,
  /^Warning: A promise was resolved or rejected from a different request context/
]

/** What continues the line before it. */
const continues = /^(stack: |\s+at |; )/

/** A filter of lines, which remembers whether the last one was left out. */
export const makeFilter = (): ((text: string) => string) => {
  let dropping = false
  return (text) =>
    text
      .split(/(?<=\n)/)
      .filter((line) => {
        dropping = harmless.some((pattern) => pattern.test(line)) || (dropping && continues.test(line))
        return !dropping
      })
      .join("")
}

/** Leaves all that out of what this process prints from now on. */
export const quieten = (): void => {
  for (const stream of [process.stdout, process.stderr]) {
    const filter = makeFilter()
    const write = stream.write.bind(stream) as (text: unknown, ...rest: ReadonlyArray<unknown>) => boolean
    stream.write = (text: unknown, ...rest: ReadonlyArray<unknown>) => {
      const left = typeof text === "string" ? filter(text) : text
      return left === "" && text !== "" ? write("", ...rest) : write(left, ...rest)
    }
  }
}
