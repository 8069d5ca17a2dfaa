/** Seconds after which to ask again for what is down: nobody knows for how long. */
export const COME_BACK_SECONDS = 5;

/** The header of an answer that would be another one so many seconds later. */
export function comeBackAfter(seconds: number): { readonly 'Retry-After': string } {
  return { 'Retry-After': String(seconds) };
}

/** That of a 503 for what is down. */
export const COME_BACK = comeBackAfter(COME_BACK_SECONDS);
