/** Connections that an invocation may have open at once. Source: workers/platform/limits, 2026-07-28. */
export const openConnections = 6
