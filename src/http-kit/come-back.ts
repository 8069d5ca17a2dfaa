/** Seconds after which to ask again for what is down: nobody knows for how long. */
export const COME_BACK_SECONDS = 5;
/** The header of a 503 for it. */
export const COME_BACK = { 'Retry-After': String(COME_BACK_SECONDS) } as const;
