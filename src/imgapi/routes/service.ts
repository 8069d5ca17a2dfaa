/** Routes about the service itself: /ping, /state, /channels, /authkeys, /datasets, and what browsers ask for. */
import { readFile } from 'node:fs/promises';
import { droppedLines } from '#lib/runtime/log.ts';
import { basePathOf } from '#lib/signing/as-sent.ts';
import { isUuid } from '#lib/text/uuid.ts';
import { ApiError, invalidParameter } from '../../../lib/api/errors/api-error.ts';
import { ERRORS, type ErrorCode } from '../../../lib/api/errors/registry.ts';
import type { Service } from '../../service/service.ts';
import type { AuthKeys } from '../auth-keys.ts';
import type { Call, Reply, Route } from '../call.ts';

const VERSION = (
  JSON.parse(await readFile(new URL('../../../package.json', import.meta.url), 'utf8')) as { version: string }
).version;

export function serviceRoutes(service: Service, authKeys: AuthKeys): Route[] {
  const { config } = service;
  const base = basePathOf(config.publicUrl);

  async function ping(call: Call): Promise<Reply> {
    const { error } = call.query;
    if (error !== undefined) throw sampleError(error);
    const isInsider = config.mode === 'dc' || call.user !== undefined;
    return {
      json: {
        ping: 'pong',
        version: VERSION,
        imgapi: true,
        ...(isInsider ? { pid: process.pid } : {}),
        ...(call.user === undefined ? {} : { user: call.user }),
      },
    };
  }

  async function channels(): Promise<Reply> {
    if (!config.channels)
      throw new ApiError('ResourceNotFound', '/channels does not exist: this server has no channels');
    return { json: config.channels };
  }

  async function state(): Promise<Reply> {
    const { rss, heapUsed } = process.memoryUsage();
    return {
      json: {
        log: { level: service.log.level(), dropped: droppedLines(service.log) },
        storage: service.storages.names,
        database: config.databaseType,
        mode: config.mode,
        worker: service.worker,
        memory: { rss, heapUsed },
        uptime: Math.round(process.uptime()),
      },
    };
  }

  async function changeState(call: Call): Promise<Reply> {
    const { action } = call.query;
    // There is nothing to drop: what is cached is checked against the store on every read.
    if (action === 'dropcaches') return { status: 202 };
    if (action === undefined) throw invalidParameter('action', 'name an action: dropcaches', 'MissingParameter');
    throw invalidParameter('action', `action is ${JSON.stringify(action)}; it must be dropcaches`);
  }

  async function reloadKeys(): Promise<Reply> {
    await authKeys.reload();
    return { json: {} };
  }

  async function dataset(call: Call): Promise<Reply> {
    return { status: 301, headers: { Location: base + datasetLocation(call.params['arg'] ?? '') }, text: '' };
  }

  return [
    { name: 'Ping', method: 'GET', path: '/ping', auth: 'passive', handler: ping },
    { name: 'ListChannels', method: 'GET', path: '/channels', auth: 'passive', handler: channels },
    { name: 'AdminGetState', method: 'GET', path: '/state', auth: 'strict', handler: state },
    { name: 'AdminUpdateState', method: 'POST', path: '/state', auth: 'strict', handler: changeState },
    { name: 'AdminReloadAuthKeys', method: 'POST', path: '/authkeys/reload', auth: 'strict', handler: reloadKeys },
    {
      name: 'ListDatasets',
      method: 'GET',
      path: '/datasets',
      auth: 'none',
      handler: async () => ({ status: 301, headers: { Location: `${base}/images` }, text: '' }),
    },
    { name: 'GetDataset', method: 'GET', path: '/datasets/:arg', auth: 'none', handler: dataset },
    { name: 'Favicon', method: 'GET', path: '/favicon.ico', auth: 'none', handler: favicon },
  ];
}

/** What DSAPI called a dataset: a UUID, NAME:VERSION, or an urn CLOUD:CREATOR:NAME[:VERSION]. */
function datasetLocation(arg: string): string {
  if (isUuid(arg)) return `/images/${arg}`;
  const parts = arg.split(':');
  const [name = arg, version] = parts.length > 4 ? [] : parts.slice(parts.length > 2 ? 2 : 0);
  const query = new URLSearchParams({ name, ...(version === undefined ? {} : { version }) });
  return `/images?${query}`;
}

async function favicon(): Promise<Reply> {
  return { status: 204, headers: { 'Cache-Control': 'public, max-age=86400' } };
}

/** A sample of any error, for writers of clients; the suffix "Error" may be left out. */
function sampleError(name: unknown): ApiError {
  const code = (Object.keys(ERRORS) as ErrorCode[]).find((known) => known === name || known === `${String(name)}Error`);
  if (code) return new ApiError(code, ERRORS[code].when);
  throw invalidParameter('error', `there is no error ${JSON.stringify(name)}`, 'Missing');
}
