/** A body of one request: what Cloudflare takes on its Free and Pro plans. */
export const maxBodyBytes = 100 * 1024 * 1024

/** Of an upload by parts. */
export const partBytes = 8 * 1024 * 1024

export const maxFileBytes = 5 * 1024 ** 3

/** How long a put may take before what it reserved counts no longer. Milliseconds. */
export const putMillis = 3_600_000

/** How long an upload by parts may take: as long as R2 keeps one. */
export const uploadMillis = 7 * 86_400_000

/** Seconds that a share may live: 30 days. */
export const maxShareSeconds = 2_592_000

export const maxLinks = 1000
