/** Milliseconds for which calls of the administration routes wait. */

export const SHORT_PATIENCE = 60_000;
/** For those that talk to other datacenters before they answer. */
export const REMOTE_PATIENCE = 5 * 60_000;
/** For those that read or remove files before they answer. */
export const FILES_PATIENCE = 60 * 60_000;
