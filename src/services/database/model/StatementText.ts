/** Strings, quoted names, comments, numbers, white space: what normalising must tell apart. */
const token =
  /'(?:[^']|'')*'|"(?:[^"]|"")*"|`[^`]*`|\[[^\]]*\]|--[^\n]*|\/\*[\s\S]*?\*\/|[A-Za-z_][\w$]*|[?:@$][\w$]*|\d[\w.]*|\s+/g

const list = /\(\?(?:, ?\?)+\)/g

/**
 * A statement without what differs between two calls of it: literals and placeholders become `?`, a list of them one,
 * white space one blank, and comments go. Names stay as they are.
 */
export const normalised = (sql: string): string =>
  sql
    .replace(token, (text) => {
      if (/^(\s|--|\/\*)/.test(text)) return " "
      return /^['\d?:@$]/.test(text) ? "?" : text
    })
    .replace(/ +/g, " ")
    .replace(list, "(?, …)")
    .replace(/ ?; *$/, "")
    .trim()
