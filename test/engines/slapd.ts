/** OpenLDAP's slapd with UFDS's schema, a process of its own for each test. */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Test } from 'tap';
import type { Attributes } from '../doubles/ufds.ts';
import { withPlaces } from '../etc/start-file.ts';
import { freePort } from '../helpers/free-port.ts';
import { temporaryFolder } from '../helpers/imgapi.ts';
import type { UfdsEntry } from '../helpers/ufds-entries.ts';
import { waitFor } from '../helpers/wait.ts';

const SLAPD = '/usr/sbin/slapd';
const SLAPADD = '/usr/sbin/slapadd';
const OPENLDAP = new URL('../../etc/openldap', import.meta.url).pathname;

export const SLAPD_BIND = { bindDN: 'cn=imgapi, o=smartdc', bindPassword: 'secret' };

/** May do everything. */
export const SLAPD_ADMIN = { bindDN: 'cn=admin, o=smartdc', bindPassword: 'admin-secret' };

export interface Slapd {
  readonly url: string;
  stop(): Promise<void>;
  start(): Promise<void>;
}

export function slapdAbsent(): string | undefined {
  return existsSync(SLAPD) && existsSync(SLAPADD) ? undefined : 'slapd is not installed';
}

/** The project's own, in the test's folder. */
async function configOf(folder: string): Promise<string> {
  return withPlaces(await readFile(join(OPENLDAP, 'slapd.conf'), 'utf8'), {
    '/opt/imgapi/etc/openldap': OPENLDAP,
    '/run/slapd/slapd.pid': join(folder, 'slapd.pid'),
    '/var/lib/ldap': join(folder, 'db'),
    ADMIN_PASSWORD: SLAPD_ADMIN.bindPassword,
  });
}

async function treeOf(entries: readonly UfdsEntry[]): Promise<string> {
  const tree = withPlaces(await readFile(join(OPENLDAP, 'tree.ldif'), 'utf8'), { PASSWORD: SLAPD_BIND.bindPassword });
  return [tree, ...entries.map(asSlapdKnows).map(ldifOf)].join('\n');
}

export async function startSlapd(t: Test, entries: readonly UfdsEntry[]): Promise<Slapd> {
  const folder = await temporaryFolder(t, 'slapd');
  const config = join(folder, 'slapd.conf');
  await mkdir(join(folder, 'db'));
  await writeFile(config, await configOf(folder));
  await writeFile(join(folder, 'tree.ldif'), await treeOf(entries));
  await promisify(execFile)(SLAPADD, ['-f', config, '-l', join(folder, 'tree.ldif')]);
  const port = await freePort();
  const url = `ldap://127.0.0.1:${port}`;
  let child: ChildProcess | undefined;
  const stop = async (): Promise<void> => {
    if (!child) return;
    const gone = once(child, 'exit');
    child.kill('SIGKILL');
    await gone;
    child = undefined;
  };
  const start = async (): Promise<void> => {
    child = spawn(SLAPD, ['-h', url, '-f', config, '-d', '0'], { stdio: 'ignore' });
    await waitFor('slapd', () => canConnect(port));
  };
  t.teardown(stop);
  await start();
  return { url, stop, start };
}

/** The times of an entry are its own, and attributes that the schema does not have are left out. */
function asSlapdKnows([dn, { created_at, updated_at, disabled, allowed_dcs: _, ...rest }]: UfdsEntry): UfdsEntry {
  const own = {
    ...(disabled && { disabled: disabled.map((value) => value.toUpperCase()) }),
    ...(created_at && { createTimestamp: created_at.map(generalized) }),
    ...(updated_at && { modifyTimestamp: updated_at.map(generalized) }),
  };
  const uuid = /^(role-uuid|policy-uuid)=([^,]*)/.exec(dn);
  return [dn, { ...rest, ...own, ...(uuid?.[1] && uuid[2] && { [uuid[1]]: [uuid[2]] }) }];
}

function generalized(milliseconds: string): string {
  return new Date(Number(milliseconds)).toISOString().replace(/[-:T]|\.\d+/g, '');
}

function ldifOf([dn, attributes]: readonly [string, Attributes]): string {
  const lines = Object.entries(attributes).flatMap(([name, values]) =>
    values.map((value) => `${name}:: ${Buffer.from(value).toString('base64')}`),
  );
  return `dn:: ${Buffer.from(dn).toString('base64')}\n${lines.join('\n')}\n`;
}

async function canConnect(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1');
  try {
    await once(socket, 'connect');
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}
