/** What the service says about itself. */
import { Type } from 'typebox';
import { bytes, oneOf, strings, uuid, type ValueOf } from './build.ts';
import { ScrubStatus } from './maintenance.ts';

export const Pong = Type.Object({
  ping: Type.Literal('pong'),
  version: Type.String(),
  imgapi: Type.Boolean(),
  pid: Type.Optional(Type.Integer({ description: 'Shown to insiders only.' })),
  user: Type.Optional(Type.String({ description: 'Who signed the request.' })),
});
export type Pong = ValueOf<typeof Pong>;

export const Channel = Type.Object({
  name: Type.String(),
  description: Type.Optional(Type.String()),
  default: Type.Optional(Type.Boolean({ description: 'Whether it is the channel of requests that name none.' })),
});
export type Channel = ValueOf<typeof Channel>;

export const HealthCheck = Type.Object(
  {
    ok: Type.Boolean(),
    ms: Type.Integer({ description: 'Duration of the check in milliseconds.' }),
    error: Type.Optional(Type.String({ description: 'Shown to insiders only.' })),
    down: Type.Optional(strings('For the check `objects`, shown to insiders only: object stores that are down.')),
    readOnly: Type.Optional(
      strings('For the check `objects`, shown to insiders only: object stores that are read, and take no files.'),
    ),
    bytes: Type.Optional(bytes('For the check `room`, shown to insiders only: free bytes.')),
  },
  { description: 'A part that the service depends on.' },
);

export const Health = Type.Object({
  ok: Type.Boolean(),
  checks: Type.Record(Type.String(), HealthCheck, { description: 'By name.' }),
});
export type Health = ValueOf<typeof Health>;

const notStored = { 'cache-control': Type.Literal('no-store') };

/** The same of each service. */
export const HEALTH_REPLIES = [
  { status: 200, json: Health, headers: Type.Object(notStored) },
  {
    ...{ status: 503, when: 'a part is down', json: Health },
    headers: Type.Object({ ...notStored, 'retry-after': Type.String() }),
  },
] as const;

export const ServiceState = Type.Object({
  log: Type.Object({
    level: Type.Integer(),
    dropped: Type.Integer({ description: 'Log lines that could not be written.' }),
  }),
  storage: strings('Names of the object stores.'),
  storageTypes: strings('The same, under the name that it has in the configuration.'),
  cache: Type.Object({}, { description: 'Empty; an older server shows its caches here.' }),
  db: Type.Object({}, { description: 'Empty; an older server shows its database here.' }),
  database: Type.String({ description: 'Kind of the document store.' }),
  mode: oneOf(['dc', 'private', 'public']),
  worker: Type.String({ description: 'Name of this process among those that run copies.' }),
  memory: Type.Object({ rss: bytes(), heapUsed: bytes() }),
  uptime: Type.Integer({ description: 'Seconds.' }),
  scrub: Type.Optional(ScrubStatus),
});
export type ServiceState = ValueOf<typeof ServiceState>;

export const AccountName = Type.Object({ uuid: uuid(), login: Type.String() });
export type AccountName = ValueOf<typeof AccountName>;

export const Nothing = Type.Object({}, { description: 'An empty object.' });

export const OpenApi = Type.Record(Type.String(), Type.Unknown(), { description: 'An OpenAPI 3.1 document.' });

export const ExportedImage = Type.Object(
  {
    manta_url: Type.String(),
    image_path: Type.String({ description: 'Path of the file in Manta.' }),
    manifest_path: Type.String({ description: 'Path of the manifest in Manta.' }),
  },
  { description: 'Where an image was exported to.' },
);
export type ExportedImage = ValueOf<typeof ExportedImage>;
