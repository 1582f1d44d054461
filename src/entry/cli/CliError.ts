/** What the user can mend: one line, and exit code 2. */
export class CliError extends Error {}
