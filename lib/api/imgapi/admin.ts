/** What operators ask of the service itself. */
import { Type } from 'typebox';
import { flag, list } from '../parameters.ts';
import {
  CleanUpReport,
  FileFinding,
  ScrubStatus,
  TaskStatus,
  VerifyLine,
  VerifyStore,
  VerifySummary,
} from '../schemas/maintenance.ts';
import { MIGRATION_KINDS, Migration } from '../schemas/migration.ts';
import { AccountName } from '../schemas/service.ts';
import { account, accountQuery, type ImgapiOperations } from './form.ts';

const administration = { since: 1, auth: 'operator', callers: ['operator'] } as const;

export const ADMIN = {
  AdminGetAccount: {
    ...administration,
    summary: 'Returns the account that holds a login.',
    method: 'GET',
    path: '/admin/accounts/:login',
    params: Type.Object({ login: Type.String({ description: 'The login.' }) }),
    query: accountQuery,
    replies: [{ status: 200, json: AccountName }],
    errors: ['OperatorOnly', 'ResourceNotFound'],
  },

  AdminReap: {
    ...administration,
    summary: 'Removes pull links past their day, staged bytes that nothing refers to, and what old copies left behind.',
    method: 'POST',
    path: '/admin/reap',
    query: Type.Object({
      account,
      dry_run: Type.Optional(flag('Only report what would be removed.')),
      staging: Type.Optional(flag('Remove staged bytes that nothing refers to, whatever their age.')),
    }),
    replies: [{ status: 200, json: CleanUpReport }],
    errors: ['OperatorOnly', 'StorageIsDown'],
  },

  AdminMigrate: {
    ...administration,
    summary:
      'Orders that the documents or the files of the datacenter move to another engine; answers at once, with the order under way if it is the same.',
    method: 'POST',
    path: '/admin/migrations',
    query: Type.Object({
      account,
      kind: Type.String({ description: `One of ${MIGRATION_KINDS.join(', ')}.` }),
      to: Type.String({ description: 'The engine, as `databaseType` or `storageTypes` has it.' }),
      from: Type.Optional(Type.String({ description: 'Of files: the store to empty; default `local`.' })),
      dry_run: Type.Optional(flag('Only report what would be moved, and whether the new store can be used.')),
      offline: Type.Optional(
        flag(
          'Of documents in Moray, from where they move only like this: all other processes are stopped, and calls wait.',
        ),
      ),
    }),
    replies: [{ status: 200, json: Migration }],
    errors: ['OperatorOnly', 'InvalidParameter'],
  },

  AdminListMigrations: {
    ...administration,
    summary: 'Lists the last migration of each kind, and how far it is.',
    method: 'GET',
    path: '/admin/migrations',
    query: accountQuery,
    replies: [{ status: 200, json: Type.Array(Migration) }],
    errors: ['OperatorOnly'],
  },

  AdminVerify: {
    ...administration,
    summary: 'Reads stored files again and reports those that do not match their records.',
    method: 'POST',
    path: '/admin/verify',
    query: Type.Object({
      account,
      repair: Type.Optional(flag('Fetch the right bytes of damaged files from a linked datacenter.')),
      uuid: Type.Optional(list('Only these images.')),
    }),
    replies: [{ status: 200, lines: Type.Union([VerifyLine, VerifyStore, VerifySummary]) }],
    errors: ['OperatorOnly', 'StorageIsDown'],
  },

  AdminScrub: {
    ...administration,
    summary: 'Has the background task read all stored files again, from now on; answers at once.',
    method: 'POST',
    path: '/admin/scrub',
    query: accountQuery,
    replies: [{ status: 200, json: ScrubStatus }],
    errors: ['OperatorOnly'],
  },

  AdminListFindings: {
    ...administration,
    summary: 'Lists the stored files that are known to be damaged.',
    method: 'GET',
    path: '/admin/findings',
    query: accountQuery,
    replies: [{ status: 200, json: Type.Array(FileFinding) }],
    errors: ['OperatorOnly'],
  },

  ListTasks: {
    summary:
      'Lists the background tasks of the datacenter: how their last runs went, when they are due, and who is running them.',
    method: 'GET',
    path: '/tasks',
    since: 3,
    auth: 'strict',
    callers: ['operator'],
    query: accountQuery,
    replies: [{ status: 200, json: Type.Array(TaskStatus) }],
    errors: ['OperatorOnly'],
  },
} as const satisfies ImgapiOperations;
