/** Loaded before a server's own code: its clock is so many milliseconds ahead, as after a long pause or a bad setting. */
const ahead = Number(process.env['TEST_CLOCK_AHEAD']);
const now = Date.now.bind(Date);
Date.now = () => now() + ahead;
