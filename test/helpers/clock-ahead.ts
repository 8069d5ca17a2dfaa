/**
 * Loaded before a server's own code. TEST_CLOCK_AHEAD: its clock alone is so many milliseconds ahead, by a bad setting.
 * TEST_CLOCK_LATER: so much time has passed for the whole machine, its databases too.
 */
import { Connection } from '#lib/documents/sqlite/connection.ts';

const later = Number(process.env['TEST_CLOCK_LATER']);
const ahead = Number(process.env['TEST_CLOCK_AHEAD']) + later;
const now = Date.now.bind(Date);
Date.now = () => now() + ahead;

const { now: databaseNow } = Connection.prototype;
Connection.prototype.now = function (this: Connection) {
  return databaseNow.call(this) + later;
};
