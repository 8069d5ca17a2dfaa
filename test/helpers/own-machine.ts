/**
 * Loaded before a server's own code: it then takes itself for the only one on its machine. So others learn of its death
 * by its leases alone, as those on other machines do.
 */
import { randomUUID } from 'node:crypto';
import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';

const BOOT = '/proc/sys/kernel/random/boot_id';
const boot = `${randomUUID()}\n`;
const { readFileSync } = fs;

Object.assign(fs, {
  readFileSync: (path: string, ...options: []) => (path === BOOT ? boot : readFileSync(path, ...options)),
});
syncBuiltinESMExports();
