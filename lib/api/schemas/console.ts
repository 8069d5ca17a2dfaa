/** What the console for people is told before it shows anything. */
import { Type } from 'typebox';
import type { Wording } from '../wording.ts';
import { date, oneOf, type ValueOf } from './build.ts';
import { Channel } from './service.ts';

export const ConsoleToken = Type.Object(
  {
    token: Type.String(),
    expires: date(),
    url: Type.Optional(Type.String({ description: 'Where clients reach the main port, if it is configured.' })),
  },
  { description: 'What a browser is logged in with at the console, once.' },
);

/** Longer than any token. */
const LONGEST_TOKEN = 200;

export const ConsoleLogin = Type.Object(
  { token: Type.String({ maxLength: LONGEST_TOKEN }) },
  // The value is not named: it may be a token with one letter too many.
  {
    error: 'ValidationFailed',
    about: 'token',
    refusal: 'token must be what imgapiadm console-login made',
  } satisfies Wording,
);

export const ConsoleUser = Type.Object({ user: Type.String() }, { description: 'Who is logged in.' });

export const ConsoleSettings = Type.Object(
  {
    version: Type.String(),
    mode: oneOf(['dc', 'private', 'public']),
    datacenter: Type.Optional(Type.String({ description: 'Name of this datacenter.' })),
    operator: Type.Boolean({ description: 'Whether the caller may see what operators see.' }),
    write: Type.Boolean({ description: 'Whether the console may change anything for the caller.' }),
    user: Type.Optional(Type.String({ description: 'Who is logged in, or signed the request.' })),
    url: Type.Optional(Type.String({ description: 'Where clients reach the main port, if it is configured.' })),
    channels: Type.Optional(Type.Array(Channel)),
  },
  { description: 'What the console shows depends on it.' },
);
export type ConsoleSettings = ValueOf<typeof ConsoleSettings>;
