/**
 * What of the docs is made from the code: tables between their markers, and whole files. `node test/docs/generated.ts`
 * (or `make docs`) writes it; with `--check` (in `make check`) it only tells what differs.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { Validator } from '@seriousme/openapi-schema-validator';
import { cloudapiDocument } from '#lib/api/cloudapi/document.ts';
import { ERRORS } from '#lib/api/errors/registry.ts';
import { ACTIONS } from '#lib/api/imgapi/actions.ts';
import { ADMIN } from '#lib/api/imgapi/admin.ts';
import { CONSOLE } from '#lib/api/imgapi/console.ts';
import { COPIES } from '#lib/api/imgapi/copies.ts';
import { DATACENTERS } from '#lib/api/imgapi/datacenters.ts';
import { DELETED } from '#lib/api/imgapi/deleted.ts';
import { imgapiDocument } from '#lib/api/imgapi/document.ts';
import { EVENTS } from '#lib/api/imgapi/events.ts';
import { FAN_OUTS } from '#lib/api/imgapi/fan-outs.ts';
import { FILES } from '#lib/api/imgapi/files.ts';
import { ICONS } from '#lib/api/imgapi/icons.ts';
import { IMAGES } from '#lib/api/imgapi/images.ts';
import { LINKS } from '#lib/api/imgapi/links.ts';
import { MADE_IMAGES } from '#lib/api/imgapi/made-images.ts';
import { IMGAPI } from '#lib/api/imgapi/operations.ts';
import { PULLS } from '#lib/api/imgapi/pulls.ts';
import { QUOTAS } from '#lib/api/imgapi/quotas.ts';
import { ROLE_TAGS } from '#lib/api/imgapi/role-tags.ts';
import { SERVICE } from '#lib/api/imgapi/service.ts';
import { SHARING } from '#lib/api/imgapi/sharing.ts';
import { UPLOADS } from '#lib/api/imgapi/uploads.ts';
import { WEBHOOKS } from '#lib/api/imgapi/webhooks.ts';
import type { OpenApiDocument } from '#lib/api/openapi/document.ts';
import type { Operation } from '#lib/api/operation.ts';
import type { AnswerShape } from '#lib/client/answer-shape.ts';
import { TRAVEL, TRAVELS, type TravelField, WAY_MEANING, WAYS } from '#lib/manifest/travel.ts';
import { FAILURES } from '#src/copies/documents/failures.ts';
import { ORDER_MOVES, TRANSFER_MOVES } from '#src/copies/documents/states.ts';
import {
  DECISIONS,
  LOCAL_RECORD_MEANING,
  LOCAL_RECORDS,
  OUTCOMES,
  REQUEST_MEANING,
  REQUESTS,
} from '#src/copies/orders/decision.ts';
import { compatibilityPage } from './compatibility.ts';
import { cloudapiCompatibilityPage } from './compatibility-cloudapi.ts';
import { markdown } from './markdown.ts';
import { commonTables, operationTables } from './operations.ts';

const ROOT = new URL('../../', import.meta.url);

export interface GeneratedTable {
  /** Path below the project. */
  readonly file: string;
  /** Of the markers `<!-- begin NAME -->` and `<!-- end NAME -->`. */
  readonly name: string;
  readonly lines: () => readonly string[];
}

export const GENERATED: readonly GeneratedTable[] = [
  { file: 'docs/index.md', name: 'common', lines: commonTables },
  { file: 'docs/index.md', name: 'images', lines: () => operationTables(IMAGES) },
  { file: 'docs/index.md', name: 'made-images', lines: () => operationTables(MADE_IMAGES) },
  { file: 'docs/index.md', name: 'files', lines: () => operationTables(FILES) },
  { file: 'docs/index.md', name: 'uploads', lines: () => operationTables(UPLOADS) },
  { file: 'docs/index.md', name: 'icons', lines: () => operationTables(ICONS) },
  { file: 'docs/index.md', name: 'actions', lines: () => operationTables(ACTIONS) },
  { file: 'docs/index.md', name: 'deleted', lines: () => operationTables(DELETED) },
  { file: 'docs/index.md', name: 'sharing', lines: () => operationTables(SHARING) },
  { file: 'docs/index.md', name: 'copies', lines: () => operationTables(COPIES) },
  { file: 'docs/index.md', name: 'fan-outs', lines: () => operationTables(FAN_OUTS) },
  { file: 'docs/index.md', name: 'pulls', lines: () => operationTables(PULLS) },
  { file: 'docs/index.md', name: 'events', lines: () => operationTables(EVENTS) },
  { file: 'docs/index.md', name: 'role-tags', lines: () => operationTables(ROLE_TAGS) },
  { file: 'docs/index.md', name: 'quotas', lines: () => operationTables(QUOTAS) },
  { file: 'docs/index.md', name: 'datacenters', lines: () => operationTables(DATACENTERS) },
  { file: 'docs/index.md', name: 'admin', lines: () => operationTables(ADMIN) },
  { file: 'docs/index.md', name: 'webhooks', lines: () => operationTables(WEBHOOKS) },
  { file: 'docs/index.md', name: 'service', lines: () => operationTables(SERVICE) },
  { file: 'docs/index.md', name: 'console', lines: () => operationTables(CONSOLE) },
  { file: 'docs/index.md', name: 'links', lines: () => operationTables(LINKS) },
  { file: 'docs/index.md', name: 'errors', lines: errorTable },
  { file: 'docs/operator-guide.md', name: 'copy-failures', lines: failureTable },
  { file: 'docs/design.md', name: 'travel', lines: travelTable },
  { file: 'docs/design.md', name: 'copy-decisions', lines: decisionTable },
  { file: 'docs/design.md', name: 'order-states', lines: () => moveTable(ORDER_MOVES) },
  { file: 'docs/design.md', name: 'transfer-states', lines: () => moveTable(TRANSFER_MOVES) },
];

const DOCUMENTS: Readonly<Record<string, () => OpenApiDocument>> = {
  'docs/openapi.json': imgapiDocument,
  'docs/openapi-cloudapi.json': cloudapiDocument,
};

/** Pages of which nothing is written by hand. */
const PAGES: Readonly<Record<string, () => string>> = {
  'docs/compatibility.md': compatibilityPage,
  'docs/compatibility-cloudapi.md': cloudapiCompatibilityPage,
};

/** What an image has, and nothing else that is answered. */
const OF_IMAGES = ['uuid', 'v'];

interface JsonForm {
  readonly required?: readonly string[];
  readonly items?: JsonForm;
}

/** What the client needs of the rows, without their schemas. */
const CLIENT_ROWS = 'lib/client/operations.json';

export const GENERATED_FILES: readonly string[] = [
  ...new Set(GENERATED.map(({ file }) => file)),
  ...Object.keys(DOCUMENTS),
  ...Object.keys(PAGES),
  CLIENT_ROWS,
];

/** The file as it should be. @throws when it is not valid, or a marker is missing */
export async function generated(file: string): Promise<string> {
  if (file === CLIENT_ROWS) return clientRows();
  const page = PAGES[file];
  if (page) return page();
  const document = DOCUMENTS[file]?.();
  if (document === undefined) return withTables(file);
  const text = `${JSON.stringify(document, null, 2)}\n`;
  const { valid, errors } = await new Validator().validate(JSON.parse(text));
  if (!valid) throw new Error(`${file} is not valid: ${JSON.stringify(errors)}`);
  return text;
}

/** Of answers that are an image, or a list of them: what everybody relies on in these. */
function answerShape({ replies }: Operation): AnswerShape | undefined {
  const reply = replies.find((one) => 'json' in one && one.status < 300);
  const form = reply && 'json' in reply ? (reply.json as JsonForm) : undefined;
  const { required = [] } = form?.items ?? form ?? {};
  if (!OF_IMAGES.every((field) => required.includes(field))) return undefined;
  return { ...(form?.items && { isList: true }), needs: ['uuid'] };
}

function clientRows(): string {
  const rows = Object.entries<Operation>(IMGAPI).map(([name, row]) => {
    const action = row.isDefaultAction ? undefined : row.action;
    const hasBody = row.body !== undefined && 'json' in row.body;
    const { method, path, since } = row;
    const answer = answerShape(row);
    return [
      name,
      {
        ...{ method, path },
        ...(action !== undefined && { action }),
        since,
        ...(hasBody && { hasBody }),
        ...(answer && { answer }),
      },
    ];
  });
  return `${JSON.stringify(Object.fromEntries(rows), null, 2)}\n`;
}

/** The file with its tables as they should be. @throws when a marker is missing */
async function withTables(file: string): Promise<string> {
  let text = await readFile(new URL(file, ROOT), 'utf8');
  for (const table of GENERATED.filter((candidate) => candidate.file === file)) {
    const [begin, end] = [`<!-- begin ${table.name} -->`, `<!-- end ${table.name} -->`];
    const [from, to] = [text.indexOf(begin), text.indexOf(end)];
    if (from === -1 || to < from) throw new Error(`${file} has no place for the table "${table.name}"`);
    text = `${text.slice(0, from + begin.length)}\n${table.lines().join('\n')}\n${text.slice(to)}`;
  }
  return text;
}

function errorTable(): string[] {
  return markdown(
    ['code', 'status', 'when', 'what to do'],
    Object.entries(ERRORS).map(([code, { status, when, remedy }]) => [`\`${code}\``, String(status), when, remedy]),
  );
}

function failureTable(): string[] {
  return markdown(
    ['code', 'when', 'what happens', 'what to do'],
    Object.entries(FAILURES).map(([code, { when, action, remedy }]) => [`\`${code}\``, when, action, remedy]),
  );
}

function decisionTable(): string[] {
  return markdown(
    ['request', ...LOCAL_RECORDS.map((record) => LOCAL_RECORD_MEANING[record])],
    REQUESTS.map((request) => [
      REQUEST_MEANING[request],
      ...LOCAL_RECORDS.map((record) => OUTCOMES[DECISIONS[request][record]]),
    ]),
  );
}

function travelTable(): string[] {
  return markdown(
    ['field', ...WAYS.map((way) => WAY_MEANING[way])],
    (Object.keys(TRAVEL) as TravelField[]).map((field) => [
      `\`${field}\``,
      ...WAYS.map((way) => TRAVELS[TRAVEL[field][way]]),
    ]),
  );
}

function moveTable(moves: Readonly<Record<string, Readonly<Partial<Record<string, string>>>>>): string[] {
  const events = [...new Set(Object.values(moves).flatMap((row) => Object.keys(row)))];
  return markdown(
    ['state', ...events],
    Object.entries(moves).map(([state, row]) => [`**${state}**`, ...events.map((event) => row[event] ?? '')]),
  );
}

if (import.meta.main) {
  const isCheck = process.argv.includes('--check');
  for (const file of GENERATED_FILES) {
    const url = new URL(file, ROOT);
    const text = await generated(file);
    const isThere = (await readFile(url, 'utf8').catch(() => undefined)) === text;
    if (isThere) continue;
    if (!isCheck) await writeFile(url, text);
    else {
      process.stderr.write(`${file} is not what the code says: make docs\n`);
      process.exitCode = 1;
    }
  }
}
