/** docs/compatibility-cloudapi.md, from the table of differences that a test sends to a server. */
import { DIFFERENCES } from '../src/cloudapi/compatibility/differences.ts';
import type { Difference } from '../src/cloudapi/compatibility/row.ts';
import { USER } from '../src/cloudapi/compatibility/world.ts';
import { markdown } from './markdown.ts';

const HEAD = `# Compatibility of CloudAPI

Where the image part of CloudAPI answers on purpose otherwise than sdc-cloudapi 9.20; whatever is not here is meant to be answered
as it is there, and held to what the tests of sdc-cloudapi assert. Each row is sent to a server by a test
(\`test/src/cloudapi/compatibility/\`), of which this page is made (\`make docs\`). An image such as \`$mine\` is one of that kind. Requests are
signed by an account in the older form, unless something else is said.

A second \`triton image copy\` (ImportImageFromDatacenter) answers 200 with the image that is here, where theirs is 409 ImageUuidAlreadyExists. Of an ACL
a sharee sees its own UUID alone. There
are no limits of requests for an account (429). Policies may use the names of
sdc-cloudapi for what is done (\`updateimage\` for all actions of an image, \`createimagefrommachine\` for all that makes one, \`setroletags\`), and
those of the operations here (\`cloneimage\`, \`exportimage\`), which allow less.

Images of files that accounts bring ([For accounts](accounts.md#an-image-of-a-file)) have routes of their own, which sdc-cloudapi does not have, and
neither has this service unless \`uploads\` is on in its configuration.`;

export function cloudapiCompatibilityPage(): string {
  const parts = DIFFERENCES.map(({ title, rows }) => [
    `## ${title}`,
    '',
    ...markdown(['request', 'theirs', 'ours', 'why'], rows.map(cells)),
  ]);
  return `${[HEAD, ...parts.map((lines) => lines.join('\n'))].join('\n\n')}\n`;
}

const SIGNED_BY: Readonly<Partial<Record<NonNullable<Difference['as']>, string>>> = {
  other: 'by another account',
  subuser: 'by a sub-user',
  modern: 'by an account with an Ed25519 key',
};

function cells({ request, theirs, ours, why, ...row }: Difference): string[] {
  const parts = [
    code(request),
    row.json === undefined ? '' : code(JSON.stringify(row.json)),
    ...Object.entries(row.headers ?? {}).map(([name, value]) => code(`${name}: ${value}`)),
    row.version === undefined ? '' : code(`accept-version: ${row.version}`),
    SIGNED_BY[row.as ?? 'user'] ?? '',
    signedHow(row.signed),
  ];
  return [parts.filter((part) => part !== '').join(' '), theirs, ours.replace(/^[^;]*/, (form) => code(form)), why];
}

function signedHow(signed: Difference['signed']): string {
  if (signed === undefined || signed === 'newer') return '';
  if (signed === 'older with host') return 'signed in the older form, with `headers="date host"`';
  if (signed.startsWith('token: ')) return `with a token for ${code(signed.slice('token: '.length))}`;
  return `signed ${signed}`;
}

function code(text: string): string {
  return `\`${text.replaceAll(USER.login, 'LOGIN')}\``;
}
