/** What the service says of itself. */
import { Type } from 'typebox';
import { bytes, oneOf, strings, uuid, type ValueOf } from './build.ts';

export const Pong = Type.Object({
  ping: Type.Literal('pong'),
  version: Type.String(),
  imgapi: Type.Boolean(),
  pid: Type.Optional(Type.Integer({ description: 'To insiders.' })),
  user: Type.Optional(Type.String({ description: 'Who signed the request.' })),
});
export type Pong = ValueOf<typeof Pong>;

export const Channel = Type.Object({
  name: Type.String(),
  description: Type.Optional(Type.String()),
  default: Type.Optional(Type.Boolean({ description: 'The channel of requests that name none.' })),
});
export type Channel = ValueOf<typeof Channel>;

export const HealthCheck = Type.Object(
  {
    ok: Type.Boolean(),
    ms: Type.Integer({ description: 'Milliseconds that it took.' }),
    error: Type.Optional(Type.String({ description: 'To insiders.' })),
    bytes: Type.Optional(bytes('Of `room`, to insiders: bytes that are free.')),
  },
  { description: 'One part that the service needs.' },
);

export const Health = Type.Object({
  ok: Type.Boolean(),
  checks: Type.Record(Type.String(), HealthCheck, { description: 'By name.' }),
});
export type Health = ValueOf<typeof Health>;

export const ServiceState = Type.Object({
  log: Type.Object({
    level: Type.Integer(),
    dropped: Type.Integer({ description: 'Lines that could not be written.' }),
  }),
  storage: strings('Names of the object stores.'),
  database: Type.String({ description: 'Kind of the document store.' }),
  mode: oneOf(['dc', 'private', 'public']),
  worker: Type.String({ description: 'Name of this process among those that carry out copies.' }),
  memory: Type.Object({ rss: bytes(), heapUsed: bytes() }),
  uptime: Type.Integer({ description: 'Seconds.' }),
});
export type ServiceState = ValueOf<typeof ServiceState>;

export const AccountName = Type.Object({ uuid: uuid(), login: Type.String() });
export type AccountName = ValueOf<typeof AccountName>;

export const Nothing = Type.Object({}, { description: 'Nothing to say.' });

export const OpenApi = Type.Record(Type.String(), Type.Unknown(), { description: 'A document of OpenAPI 3.1.' });

export const ExportedImage = Type.Object(
  {
    manta_url: Type.String(),
    image_path: Type.String({ description: 'Path of the file in Manta.' }),
    manifest_path: Type.String({ description: 'Path of the manifest in Manta.' }),
  },
  { description: 'Where an image was exported to.' },
);
export type ExportedImage = ValueOf<typeof ExportedImage>;
