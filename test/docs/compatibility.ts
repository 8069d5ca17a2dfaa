/** docs/compatibility.md, from the table of differences that a test sends to a server. */

import { ALICE, BOB } from '../helpers/accounts.ts';
import { BEHAVIOURS } from '../src/imgapi/compatibility/beyond-requests.ts';
import { DIFFERENCES } from '../src/imgapi/compatibility/differences.ts';
import type { Difference } from '../src/imgapi/compatibility/row.ts';
import { markdown } from './markdown.ts';

const HEAD = `# Compatibility

Where this service answers on purpose otherwise than sdc-imgapi 4.13, the IMGAPI of today; whatever is not here is meant
to be answered as it is there. Each row is sent to a server by a test (\`test/src/imgapi/compatibility/\`), of which this
page is made (\`make docs\`). An image such as \`$disabled\` is one of that kind, \`ALICE\` the UUID of its owner; \`TAG\` is the tag of its manifest.
A manifest in a request shows only the fields that it does not have in common with one that is right.
What this service has beyond today's is in [the API](index.md).`;

export function compatibilityPage(): string {
  const parts = DIFFERENCES.map(({ title, rows }) => [
    `## ${title}`,
    '',
    ...markdown(['request', 'theirs', 'ours', 'why'], rows.map(cells)),
  ]);
  const beyond = [
    '## What no single request shows',
    '',
    ...markdown(
      ['what', 'theirs', 'ours', 'test'],
      BEHAVIOURS.map(({ what, theirs, ours, test }) => [what, theirs, ours, `\`test/${test}\``]),
    ),
  ];
  return `${[HEAD, ...[...parts, beyond].map((lines) => lines.join('\n'))].join('\n\n')}\n`;
}

function cells(row: Difference): string[] {
  return [requestOf(row), row.theirs, oursOf(row), row.why];
}

function requestOf({ request, on = 'dc', headers = {}, signed, manifest, json, body }: Difference): string {
  const sent = manifest ?? json;
  const parts = [
    code(request),
    on === 'dc' || on === 'lists' ? '' : `(${on === 'channels' ? 'public, with channels' : on})`,
    signed === undefined ? '' : `signed ${signed}`,
    ...Object.entries(headers).map(([name, value]) => code(`${name}: ${value}`)),
    sent === undefined ? '' : `${manifest ? 'manifest ' : ''}${code(jsonOf(sent))}`,
    body === undefined || body === '' ? '' : `body ${code(body)}`,
  ];
  return parts.filter((part) => part !== '').join(' ');
}

/** A field that is left out of a manifest is undefined there. */
function jsonOf(value: unknown): string {
  return JSON.stringify(value, (_, item: unknown) => (item === undefined ? 'left out' : item));
}

function oursOf({ ours }: Difference): string {
  return ours.replace(/^[^;]*/, (form) => code(form));
}

const LONGEST = 120;

function code(given: string): string {
  const text = Object.entries(PEOPLE).reduce((named, [uuid, name]) => named.replaceAll(uuid, name), given);
  return `\`${text.length > LONGEST ? `${text.slice(0, LONGEST)}…` : text}\``;
}

const PEOPLE: Readonly<Record<string, string>> = {
  [ALICE]: 'ALICE',
  [BOB]: 'BOB',
};
