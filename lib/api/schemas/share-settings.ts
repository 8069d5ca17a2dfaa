/** What an account wants to be shown of what others share with it. */
import { Type } from 'typebox';
import { ACCEPTANCES } from '../acceptance.ts';
import { oneOf, strings, uuid, type ValueOf } from './build.ts';

const trusted = (description: string) =>
  Type.Array(Type.String(), { maxItems: 1000, description: `${description} UUIDs and logins, as they were typed.` });

export const ShareSettingsChange = Type.Object(
  {
    acceptance: Type.Optional(
      Type.Union([oneOf(ACCEPTANCES), Type.Null()], {
        description: 'null: what the configuration of the server says.',
      }),
    ),
    trusted: Type.Optional(trusted('In place of those that there are.')),
  },
  { description: 'What is not named stays as it is.' },
);

export const ShareSettings = Type.Object(
  {
    account: uuid('Whose they are.'),
    acceptance: oneOf(ACCEPTANCES, {
      description:
        '`automatic`: what others share with the account is in its lists at once. `offers`: only once the account has accepted it, or if it trusts who shares.',
    }),
    own: Type.Boolean({ description: 'Whether the account has said so itself; false: the configuration does.' }),
    trusted: strings('Whose shares need not be accepted, as they were typed.'),
  },
  { description: 'What an account wants to be shown of what others share with it.' },
);
export type ShareSettings = ValueOf<typeof ShareSettings>;
