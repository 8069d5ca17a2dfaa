/** People, images and a CloudAPI, as the tests of Triton's CloudAPI have them, and requests to it. */
import type { Test } from 'tap';
import {
  asker,
  cloudapiInProcess,
  keyOf,
  makeKey,
  type Person,
  signedHeaders,
  writePeople,
} from '../../../helpers/cloudapi.ts';
import { makeImage } from '../../../helpers/images.ts';
import { startInProcess, temporaryFolder } from '../../../helpers/imgapi.ts';
import { olderHeaders, presigned } from '../../../helpers/signing.ts';
import { makeToken, TOKEN_KEYS } from '../../../helpers/tokens.ts';
import type { AccountName, Row, SignerName } from './row.ts';

const key = makeKey('rsa');
const SUBUSER = {
  uuid: '5b05e700-0000-4000-8000-000000000001',
  login: 'a1b2c3.sub.test@example.com',
  keys: { id_rsa: key },
};
export const ROLE = { uuid: '40700000-0000-4000-8000-00000000000a', name: 'test-role' };
const POLICY = {
  name: 'test-policy',
  rules: [
    'CAN getaccount',
    'CAN listkeys AND listuserkeys',
    'CAN rebootmachine, createmachine AND getmachine',
    'CAN setroletags',
  ],
};

const PEOPLE = {
  user: {
    ...{ uuid: 'a5e70000-0000-4000-8000-000000000001', login: 'a1b2c3d4.test@example.com', keys: { id_rsa: key } },
    ...{ email: 'a1b2c3d4.test@example.com', users: [SUBUSER] },
    policies: [POLICY],
    roles: [{ ...ROLE, members: [SUBUSER.login], default_members: [SUBUSER.login], policies: [POLICY.name] }],
  },
  other: {
    uuid: '07e70000-0000-4000-8000-000000000002',
    login: 'a5b6c7.other.test@example.com',
    keys: { id_rsa: makeKey('rsa') },
  },
  admin: { uuid: '930896af-bf8c-48d4-885c-6573a94b1853', login: 'admin', keys: { id_rsa: makeKey('rsa') } },
  disabled: { uuid: 'd15ab1ed-0000-4000-8000-000000000001', login: 'disabled', keys: { id_rsa: key }, disabled: true },
  modern: { uuid: '3d255190-0000-4000-8000-000000000001', login: 'modern', keys: { id_ed25519: makeKey('ed25519') } },
} as const satisfies Record<AccountName, Person>;

export const USER: Person = PEOPLE.user;
export const OTHER: Person = PEOPLE.other;
const MINIMAL = { name: 'minimal-64-lts', type: 'zone-dataset', os: 'smartos', public: true } as const;
const IMAGES = {
  public: { fields: MINIMAL, owner: PEOPLE.admin.uuid },
  linux: {
    fields: {
      ...{ name: 'linux', type: 'zvol', os: 'linux', public: true, requirements: { min_ram: 512, brand: 'bhyve' } },
      ...{ nic_driver: 'virtio', disk_driver: 'virtio', cpu_type: 'host', image_size: 10 },
    },
    owner: PEOPLE.admin.uuid,
  },
  layer: { fields: { name: 'docker-layer', type: 'docker', os: 'linux', public: true }, owner: PEOPLE.admin.uuid },
  mine: { fields: { name: 'mine' }, owner: PEOPLE.user.uuid },
  hidden: { fields: { name: 'hidden' }, owner: PEOPLE.other.uuid },
} as const;

export interface Shown {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  // biome-ignore lint/suspicious/noExplicitAny: assertions check what the server sent
  readonly json: any;
}

export interface World {
  readonly url: string;
  /** IMGAPI, for an operator. */
  readonly operator: Awaited<ReturnType<typeof startInProcess>>['client'];
  send(row: Omit<Row, 'ours'>): Promise<Shown>;
}

export async function makeWorld(t: Test): Promise<World> {
  const file = await writePeople(await temporaryFolder(t), Object.values(PEOPLE));
  const server = await startInProcess(t, { accounts: { file } });
  const keys = {
    tokenKeys: TOKEN_KEYS,
    adminUuid: PEOPLE.admin.uuid,
    datacenters: { 'test-1': 'https://test-1.example.com' },
  };
  const cloudapi = await cloudapiInProcess(t, { people: Object.values(PEOPLE), imgapi: server.url, keys });
  const ask = asker(t, cloudapi.url);
  const uuids = new Map<string, string>();
  for (const [name, { fields, owner }] of Object.entries(IMAGES)) {
    uuids.set(name, (await makeImage(server.client(), fields, { owner })).image.uuid);
  }
  const named = (text: string): string => text.replace(/\$(\w+)/g, (_, name: string) => uuids.get(name) ?? name);
  const { host } = new URL(cloudapi.url);
  return {
    url: cloudapi.url,
    operator: (options) => server.client(options),
    async send(row) {
      const [method = '', target = ''] = named(row.request).split(' ');
      const { path, headers } = signed(row, { method, path: target, host });
      const sent = {
        ...headers,
        ...(row.version !== undefined && { 'accept-version': row.version }),
        ...(row.form !== undefined && { 'content-type': 'application/x-www-form-urlencoded' }),
        ...row.headers,
      };
      const json = row.json === undefined ? undefined : (JSON.parse(named(JSON.stringify(row.json))) as unknown);
      return ask(path, { method, headers: sent, json, ...(row.form !== undefined && { body: row.form }) });
    },
  };
}

interface Target {
  readonly method: string;
  readonly path: string;
  readonly host: string;
}

function signed({ as = 'user', signed: way = 'older' }: Omit<Row, 'ours'>, { method, path, host }: Target) {
  if (as === 'nobody') return { path, headers: {} };
  const signing = signingOf(as);
  switch (way) {
    case 'newer':
      return { path, headers: signedHeaders(method, path, signing) };
    case 'by URL':
      return { path: presigned(path, signing, { host, method }), headers: {} };
    case 'by a URL that expired':
      return { path: presigned(path, signing, { host, method, expires: 1 }), headers: {} };
    case 'older with host': {
      const { authorization = '', ...date } = olderHeaders(signing);
      return { path, headers: { ...date, authorization: authorization.replace('" ', '",headers="date host" ') } };
    }
    default: {
      const headers = olderHeaders(signing);
      if (way === 'older') return { path, headers };
      return { path, headers: { ...headers, 'x-auth-token': tokenFor(signing.keyId, way.slice('token: '.length)) } };
    }
  }
}

function signingOf(as: Exclude<SignerName, 'nobody'>) {
  if (as === 'subuser') return { as: USER, key, keyId: `/${USER.login}/users/${SUBUSER.login}/keys/id_rsa` };
  const person: Person = PEOPLE[as];
  return { as: person, key: keyOf(person), keyId: `/${person.login}/keys/${Object.keys(person.keys)[0]}` };
}

/** `PATH`, or `PATH until TIME`. */
function tokenFor(devkeyId: string, text: string): string {
  const [path, expires = new Date(Date.now() + 60_000).toISOString()] = text.split(' until ');
  return makeToken({ account: { uuid: USER.uuid }, devkeyId, permissions: { cloudapi: [path] }, expires });
}
