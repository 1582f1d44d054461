/** The statements of a migration, without its comments. */
export const statementsOf = (sql: string): ReadonlyArray<string> =>
  sql
    .replace(/--.*$/gm, "")
    .split(";")
    .map((statement) => statement.trim())
    .filter((statement) => statement !== "")
