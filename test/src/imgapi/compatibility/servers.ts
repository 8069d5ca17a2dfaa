/** The servers that rows are sent to; each is started for the first row that needs it. */
import type { Test } from 'tap';
import type { Service } from '#src/service/service.ts';
import { type ConfigKeys, startInProcess } from '../../../helpers/imgapi.ts';
import { type Asker, asker } from '../fixtures/ask.ts';
import { putRecords } from '../fixtures/records.ts';
import { AUTH_KEYS } from '../fixtures/signing.ts';
import { LISTED } from './images.ts';

const CHANNELS = [
  { name: 'dev', description: 'for all', default: true },
  { name: 'release', description: 'for the brave' },
];

const SERVERS = {
  dc: { mode: 'dc' },
  lists: { mode: 'dc' },
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
  const { imgapi, url } = await startInProcess(t, SERVERS[name]);
  if (name === 'lists') await putRecords(imgapi.service, LISTED);
  return { service: imgapi.service, url, ask: asker(t, url) };
}
