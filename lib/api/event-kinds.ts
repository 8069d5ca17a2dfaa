/** The kinds of events. Commands load them at every start, so this file must not load any schema. */

export const EVENT_KINDS = [
  'create',
  'upload',
  'activate',
  'update',
  'share',
  'unshare',
  'accept',
  'delete',
  'undelete',
  'copy-begun',
  'copy-late',
  'copy-done',
  'copy-failed',
  'copy-canceled',
  'pull',
] as const;

export type EventKind = (typeof EVENT_KINDS)[number];
