/** What the user can fix: one line, and exit code 2. */
export class CliError extends Error {}
