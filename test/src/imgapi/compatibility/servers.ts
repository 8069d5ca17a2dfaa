/** The servers that rows are sent to; each is started for the first row that needs it. */
import type { Test } from 'tap';
import type { Service } from '#src/service/service.ts';
import { mantaFor } from '../../../engines/manta.ts';
import { type ConfigKeys, startInProcess } from '../../../helpers/imgapi.ts';
import { type Asker, asker } from '../fixtures/ask.ts';
import { putRecords } from '../fixtures/records.ts';
import { AUTH_KEYS } from '../fixtures/signing.ts';
import { LISTED } from './images.ts';
import { machinesFor } from './machines.ts';

const CHANNELS = [
  { name: 'dev', description: 'for all', default: true },
  { name: 'release', description: 'for the brave' },
];

const SERVERS = {
  dc: { mode: 'dc' },
  lists: { mode: 'dc' },
  machines: { mode: 'dc' },
  'with Manta': { mode: 'dc' },
  'VMAPI down': {
    mode: 'dc',
    vmapi: { url: 'http://127.0.0.1:1' },
    cnapi: { url: 'http://127.0.0.1:1' },
    createFromVm: { imgapiUrl: 'http://127.0.0.1:2' },
    allowLocalCreateImageFromVm: true,
  },
  public: { mode: 'public' },
  channels: { mode: 'public', channels: CHANNELS },
  'public with signatures': { mode: 'public', authType: 'signature', authKeys: AUTH_KEYS },
  'private with signatures': { mode: 'private', authType: 'signature', authKeys: AUTH_KEYS },
} as const satisfies Readonly<Record<string, ConfigKeys>>;
export type ServerName = keyof typeof SERVERS;

export interface Server {
  readonly service: Service;
  readonly url: string;
  readonly ask: Asker;
}

export function servers(t: Test): (name: ServerName) => Promise<Server> {
  const started = new Map<ServerName, Promise<Server>>();
  return (name) => {
    const server = started.get(name) ?? start(t, name);
    started.set(name, server);
    return server;
  };
}

async function start(t: Test, name: ServerName): Promise<Server> {
  const machines = name === 'machines' ? await machinesFor(t) : undefined;
  const manta = name === 'with Manta' ? await mantaFor(t) : undefined;
  const { imgapi, url } = await startInProcess(t, { ...SERVERS[name], ...machines?.keys, ...manta?.keys });
  if (machines) await putRecords(imgapi.service, [machines.template]);
  if (name === 'lists') await putRecords(imgapi.service, LISTED);
  return { service: imgapi.service, url, ask: asker(t, url) };
}
