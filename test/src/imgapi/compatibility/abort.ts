/** The process of today's IMGAPI ends, and with it all of its transfers. */
export const ABORT = 'the process ends';
export const STAYS_UP = 'No request ends the process.';
