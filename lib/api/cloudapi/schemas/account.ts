/** What clients ask for before they get to images: the account, its keys, the datacenters, and CloudAPI itself. */
import { Type } from 'typebox';
import { date, strings, uuid, type ValueOf } from '../../schemas/build.ts';

export const Account = Type.Object({
  id: uuid(),
  login: Type.String(),
  email: Type.Optional(Type.String()),
  created: date('2013 if it is not known.'),
  updated: date(),
});
export type Account = ValueOf<typeof Account>;

export const Key = Type.Object({
  name: Type.String(),
  fingerprint: Type.String({ description: 'MD5, as `aa:bb:…`.' }),
  key: Type.String({ description: 'OpenSSH form.' }),
});

export const Datacenters = Type.Record(Type.String(), Type.String(), {
  description: 'URL of each CloudAPI by the name of its datacenter.',
});
export type Datacenters = ValueOf<typeof Datacenters>;

export const Moved = Type.Object({ code: Type.Literal('ResourceMoved'), message: Type.String() });

export const RoleTagsOfResource = Type.Object(
  {
    name: Type.String({ description: 'Path of the resource.' }),
    'role-tag': strings('Names of roles.'),
  },
  { description: 'Which roles are tagged on a resource.' },
);

export const Pong = Type.Object({
  ping: Type.Literal('pong'),
  cloudapi: Type.Object({ versions: strings('The versions that are served.') }),
});
