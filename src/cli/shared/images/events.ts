/** What happened to images, as a table. */
import { EVENT_KINDS, type EventKind } from '#lib/api/event-kinds.ts';
import type { ImageEvent } from '#lib/api/schemas/event.ts';
import { type ColumnSet, TABLE_OPTIONS } from '../../framework/table-options.ts';
import { formatBytes } from '../../output/bytes.ts';

export const EVENT_COLUMNS: ColumnSet<ImageEvent> = {
  time: { title: 'TIME_UTC', value: ({ time }) => time.replace(/\.\d+Z$/, '') },
  kind: { title: 'KIND', value: ({ kind }) => kind },
  shortid: { title: 'SHORTID', value: ({ image }) => image.slice(0, 8) },
  image: { title: 'IMAGE', value: ({ image }) => image },
  actor: { title: 'ACTOR', value: actorOf, shrinks: true },
  details: { title: 'DETAILS', value: detailsOf, shrinks: true },
  request: { title: 'REQUEST', value: ({ request_id: id }) => id },
  id: { title: 'ID', value: ({ id }) => id },
};

const MOST = 1000;

/** Which events, and how they are shown. */
export const EVENT_OPTIONS = {
  kind: {
    type: 'value',
    value: 'KIND',
    help: `Only those of this kind: ${EVENT_KINDS.join(', ')}.`,
    check: (value: string) => (isKind(value) ? undefined : `one of ${EVENT_KINDS.join(', ')}`),
  },
  limit: {
    type: 'value',
    value: 'N',
    help: `At most N of them, up to ${MOST}; 100 without this.`,
    check: (value: string) =>
      /^\d+$/.test(value) && Number(value) >= 1 && Number(value) <= MOST ? undefined : `from 1 to ${MOST}`,
  },
  marker: { type: 'value', value: 'ID', help: 'Begin with this event, and go back from there.' },
  ...TABLE_OPTIONS,
} as const;

/** What the server is asked. */
export function eventQuery({
  kind,
  limit,
  marker,
}: {
  readonly kind?: string | undefined;
  readonly limit?: string | undefined;
  readonly marker?: string | undefined;
}) {
  return {
    ...(kind !== undefined && isKind(kind) && { kind }),
    ...(limit !== undefined && { limit: Number(limit) }),
    ...(marker !== undefined && { marker }),
  };
}

function isKind(kind: string): kind is EventKind {
  return (EVENT_KINDS as readonly string[]).includes(kind);
}

function actorOf({ actor }: ImageEvent): string {
  const { kind, account, login, datacenter } = actor;
  if (kind === 'datacenter') return `datacenter ${datacenter}`;
  return kind === 'account' ? (login ?? String(account)) : kind;
}

/** `fields name, tags`; `order 0965c1f4…, source us-east`; `file, sha1 d79d2fe2…, size 191 MiB` */
function detailsOf({ details }: ImageEvent): string | undefined {
  const parts = Object.entries(details).map(([name, value]) => {
    // Which of the image's files it is says what it is.
    if (name === 'file') return String(value);
    if (name === 'size' && typeof value === 'number') return `size ${formatBytes(value)}`;
    return `${name} ${[value].flat().join(' ')}`;
  });
  return parts.length > 0 ? parts.join(', ') : undefined;
}
