/** The header of a 503 for what is down: nobody knows for how long. */
export const COME_BACK = { 'Retry-After': '5' } as const;
