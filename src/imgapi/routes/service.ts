/** Requests about the service itself: /ping, /state, /channels, /authkeys, /datasets, and what browsers ask for. */
import { readFile } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { ApiError, invalidParameter } from '#lib/api/errors/api-error.ts';
import { ERRORS, type ErrorCode } from '#lib/api/errors/registry.ts';
import type { SERVICE } from '#lib/api/imgapi/service.ts';
import { droppedLines } from '#lib/runtime/log.ts';
import { basePathOf } from '#lib/signing/as-sent.ts';
import { isUuid } from '#lib/text/uuid.ts';
import type { Dispatch, Handlers } from '../../http-kit/operations.ts';
import { pathOf } from '../../http-kit/request-head.ts';
import { scrubStatus } from '../../maintenance/scrub/state.ts';
import type { Service } from '../../service/service.ts';
import type { AuthKeys } from '../auth-keys.ts';
import type { Call, Reply } from '../call.ts';
import { docsPage, docsText, favicon } from '../pages/docs-page.ts';
import { VERSION } from '../service-version.ts';
import { healthHandler } from './health.ts';

const DOCS = new URL('../../../docs/', import.meta.url);

/** Today's IMGAPI shows what it holds in memory here. Nothing of it means anything in this service, which holds nothing. */
const TODAYS = { cache: {}, db: {} } as const;

export function serviceHandlers(service: Service, authKeys: AuthKeys): Handlers<typeof SERVICE, Call> {
  const { config } = service;
  const base = basePathOf(config.publicUrl);

  return {
    async Ping(call, { error }) {
      if (error !== undefined) throw sampleError(error);
      const isInsider = config.mode === 'dc' || call.user !== undefined;
      return {
        json: {
          ping: 'pong',
          version: VERSION,
          imgapi: true,
          ...(isInsider && { pid: process.pid }),
          ...(call.user !== undefined && { user: call.user }),
        },
      };
    },

    Healthz: healthHandler(service),

    async ListChannels() {
      if (config.channels) return { json: config.channels };
      throw new ApiError('ResourceNotFound', '/channels does not exist: this server has no channels');
    },

    async AdminGetState() {
      const { rss, heapUsed } = process.memoryUsage();
      // The rest is known without the documents.
      const scrub = await scrubStatus(service).catch(() => undefined);
      return {
        json: {
          log: { level: service.log.level(), dropped: droppedLines(service.log) },
          storage: service.storages.names,
          database: config.databaseType,
          ...TODAYS,
          storageTypes: service.storages.names,
          mode: config.mode,
          worker: service.worker,
          memory: { rss, heapUsed },
          uptime: Math.round(process.uptime()),
          ...(scrub && { scrub }),
        },
      };
    },

    /** There is nothing to drop: cached records are checked against the store on every read. */
    async AdminDropCaches() {
      return { status: 202 };
    },

    async AdminReloadAuthKeys() {
      await authKeys.reload();
      return { json: {} };
    },

    async ListDatasets() {
      return { status: 301, headers: { Location: `${base}/images` } };
    },

    async GetDataset({ params }) {
      return { status: 301, headers: { Location: base + datasetLocation(params['arg'] ?? '') } };
    },

    async Favicon() {
      const icon = await favicon();
      return {
        headers: {
          'Content-Type': 'image/x-icon',
          'Content-Length': String(icon.length),
          'Cache-Control': 'public, max-age=86400',
        },
        stream: Readable.from([icon]),
      };
    },

    async Root() {
      return { status: 301, headers: { Location: `${base}/docs/` } };
    },

    /** The API's documentation, as this version has it. */
    async Docs({ url, headers }): Promise<Reply> {
      if (!pathOf(url).endsWith('/')) return { status: 301, headers: { Location: `${base}/docs/` } };
      const isBrowser = headers.accept?.includes('text/html') ?? false;
      const type = isBrowser ? 'text/html; charset=utf-8' : 'text/markdown; charset=utf-8';
      const text = isBrowser ? await docsPage() : await docsText();
      return { text, headers: { 'Content-Type': type, Vary: 'Accept, Accept-Version' } };
    },

    /** Read from its file, because making it anew would delay other requests. */
    async OpenApi() {
      return { text: await readFile(new URL('openapi.json', DOCS), 'utf8') };
    },
  };
}

export const stateDispatch: Dispatch<Call> = {
  async otherwise({ query }) {
    const { action } = query;
    if (action === undefined || action === '') throw new ApiError('MissingParameter', 'name an action: dropcaches');
    throw new ApiError('InvalidArgument', `action is ${JSON.stringify(action)}; it must be dropcaches`);
  },
};

/** What DSAPI called a dataset: a UUID, NAME:VERSION, or a URN CLOUD:CREATOR:NAME[:VERSION]. */
function datasetLocation(arg: string): string {
  if (isUuid(arg)) return `/images/${arg}`;
  const parts = arg.split(':');
  const [name = arg, version] = parts.length > 4 ? [] : parts.slice(parts.length > 2 ? 2 : 0);
  const query = new URLSearchParams({ name, ...(version !== undefined && { version }) });
  return `/images?${query}`;
}

/** A sample of any error, for authors of clients; the suffix "Error" may be left out. */
function sampleError(name: unknown): ApiError {
  const code = (Object.keys(ERRORS) as ErrorCode[]).find((known) => known === name || known === `${String(name)}Error`);
  if (code) return new ApiError(code, ERRORS[code].when);
  throw invalidParameter('error', `there is no error ${JSON.stringify(name)}`, 'Missing');
}
