/** What the account wants to be shown of what others share with it. */
import { Type } from 'typebox';
import { ShareSettings } from '../schemas/share-settings.ts';
import { ACCOUNTS, accountParams, type CloudapiOperations, PARAMETER_ERRORS, signed } from './form.ts';
import { value } from './parameters.ts';

const { account: _, ...shown } = ShareSettings.properties;

const change = Type.Object({
  acceptance: Type.Optional(value('`automatic`, `offers`, or null for what the operators have chosen.')),
  trusted: Type.Optional(value('In place of the accounts that are trusted: a list of UUIDs and logins.')),
});

const settings = {
  ...signed,
  path: '/:account/sharesettings',
  callers: ACCOUNTS,
  params: accountParams,
  replies: [{ status: 200, json: Type.Object(shown) }],
} as const;

export const SHARE_SETTINGS = {
  GetShareSettings: {
    ...settings,
    summary: 'Returns what the account wants to be shown of what others share with it.',
    method: 'GET',
    errors: [],
  },

  ChangeShareSettings: {
    ...settings,
    summary: 'Changes them.',
    description:
      'With `offers`, what is shared with the account by others than those that it trusts is in none of its lists until it is accepted, that of before included. By its ID it can be used all the same.',
    method: 'POST',
    query: change,
    body: { json: change, optional: true },
    errors: [...PARAMETER_ERRORS, 'ValidationFailed', 'Conflict'],
  },
} as const satisfies CloudapiOperations;
