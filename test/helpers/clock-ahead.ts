/**
 * Loaded before a server's own code. TEST_CLOCK_AHEAD: milliseconds by which only its own clock is ahead, because it is
 * set wrong. TEST_CLOCK_LATER: milliseconds that have passed for the whole machine, including its databases.
 */
import { DatabaseClock } from '#lib/documents/database-clock.ts';
import { Connection } from '#lib/documents/sqlite/connection.ts';

const later = Number(process.env['TEST_CLOCK_LATER']);
const ahead = Number(process.env['TEST_CLOCK_AHEAD']) + later;
const now = Date.now.bind(Date);
Date.now = () => now() + ahead;

// Of a file, and of what is behind a network.
for (const { prototype } of [Connection, DatabaseClock]) {
  const { now: databaseNow } = prototype;
  prototype.now = function (this: never) {
    return databaseNow.call(this) + later;
  };
}
