/**
 * Operation × image × account, for a linked datacenter: what each link operation answers it on behalf of everybody. It
 * reads what the account owns, in every state; that somebody else's image is public or shared opens nothing.
 */
import { randomUUID } from 'node:crypto';
import { test } from 'tap';
import { LINKS } from '#lib/api/imgapi/links.ts';
import type { Operation } from '#lib/api/operation.ts';
import { ImgapiError } from '#lib/client/errors.ts';
import { ALICE, BOB } from '../../helpers/accounts.ts';
import { clientOf, linkedPair } from '../../helpers/datacenter.ts';
import { combinations, forEach } from './fixtures/ask.ts';
import {
  CALLER_NAMES,
  CALLERS,
  CASES,
  type CallerName,
  type Case,
  type Expected,
  hasFile,
  NOT_FOUND,
  OK,
  putCases,
} from './fixtures/sharing.ts';

interface Row {
  readonly query?: string;
  readonly body?: object;
  readonly expected: (caller: CallerName, image: Case) => Expected;
}

const NAMELESS: Expected = { status: 422, code: 'ValidationFailed' };

/** On behalf of the owner as `answer` says; an operator is nobody there. */
function own(answer: (image: Case) => Expected): Row['expected'] {
  return (caller, image) => {
    if (caller === 'operator') return NAMELESS;
    return caller === 'owner' && image.state !== 'tombstone' ? answer(image) : NOT_FOUND;
  };
}

const file = own((image) => (hasFile(image) ? OK : NOT_FOUND));

/** What is asked about an image. */
const OF_IMAGES: Readonly<Record<string, Row>> = {
  LinkGetImage: { expected: own(() => OK) },
  LinkGetImageIcon: { expected: file },
  LinkGetImageFile: { expected: file },
  LinkGetImageFilePieces: { expected: file },
  LinkCreatePullUrl: { expected: file },
};

/** What is asked about the link. The last one ends it. */
const OF_THE_LINK: Readonly<Record<string, Omit<Row, 'expected'> & { readonly expected: Expected }>> = {
  LinkPing: { expected: OK },
  LinkCheck: { expected: OK },
  LinkBlob: { query: '?bytes=10', expected: OK },
  LinkEcho: { body: { a: 1 }, expected: OK },
  LinkRotate: { body: {}, expected: OK },
  LinkPair: { body: {}, expected: { status: 422, code: 'ValidationFailed' } },
  LinkEndPull: { expected: OK },
  // More of these in test/src/copies/fan-out/.
  LinkOrderCopy: { expected: NAMELESS },
  LinkGetCopy: { expected: NAMELESS },
  LinkReleaseCopy: { expected: NAMELESS },
  LinkCancelCopy: { expected: NAMELESS },
  GetPullLink: { expected: { status: 401, code: 'UnauthorizedError' } },
  LinkUnlink: { expected: OK },
};

const ROWS: Readonly<Record<string, Operation>> = LINKS;

test('no operation of the link listener is left out', async (t) => {
  t.same(Object.keys({ ...OF_IMAGES, ...OF_THE_LINK }).toSorted(), Object.keys(LINKS).toSorted());
});

async function linked(t: Parameters<typeof linkedPair>[0], allowedAccounts?: readonly string[]) {
  const { east, west } = await linkedPair(t, {
    west: { keys: { links: { requestsPerSecond: 100_000 } } },
    ...(allowedAccounts && { terms: { allowedAccounts } }),
  });
  const client = await clientOf(east, west.name);
  const ask = async (
    name: string,
    { query = '', body }: Pick<Row, 'query' | 'body'>,
    uuid: string,
  ): Promise<Expected> => {
    const { method, path } = ROWS[name] as Operation & { readonly method: 'GET' | 'POST' };
    const at = path
      .replace(':uuid', uuid)
      .replace(/:day/, '20260101')
      .replaceAll(/:\w+|\*/g, randomUUID());
    try {
      const answer = await client.send({ method, path: at + query, ...(body && { body: JSON.stringify(body) }) });
      for await (const _ of answer.body);
      return { status: answer.status };
    } catch (error) {
      if (!(error instanceof ImgapiError)) throw error;
      return { status: error.statusCode, code: error.code };
    }
  };
  return { west, ask };
}

function onBehalfOf(caller: CallerName): string {
  const account = CALLERS[caller];
  return account === undefined ? '' : `?account=${account}`;
}

test('a linked datacenter reads what the account owns that it names, and nothing else', async (t) => {
  const { west, ask } = await linked(t);
  const records = await putCases(west.service, CASES);
  const requests = combinations({ name: Object.keys(OF_IMAGES), caller: CALLER_NAMES, image: CASES });
  await forEach(requests, async ({ name, caller, image }) => {
    const row = OF_IMAGES[name] as Row;
    const { uuid = '' } = records.get(image) ?? {};
    const got = await ask(name, { query: onBehalfOf(caller) }, uuid);
    t.same(got, row.expected(caller, image), `${name} for ${caller}: ${JSON.stringify(image)}`);
  });
  t.ok(requests.length > 500, `${requests.length} requests`);
});

test('a link for certain accounts reads for no other, whatever there is', async (t) => {
  const { west, ask } = await linked(t, [BOB]);
  const records = await putCases(west.service, CASES.slice(0, 4));
  for (const name of Object.keys(OF_IMAGES)) {
    for (const uuid of [...[...records.values()].map((record) => record.uuid), randomUUID()]) {
      const forbidden = { status: 403, code: 'Forbidden' };
      t.same(await ask(name, { query: `?account=${ALICE}` }, uuid), forbidden, `${name} for alice`);
      t.same(await ask(name, { query: `?account=${BOB}` }, uuid), NOT_FOUND, `${name} for bob`);
    }
  }
});

test('what it may ask of the link itself', async (t) => {
  const { ask } = await linked(t);
  for (const [name, { expected, ...asked }] of Object.entries(OF_THE_LINK)) {
    t.same(await ask(name, asked, randomUUID()), expected, name);
  }
  t.match(await ask('LinkPing', {}, ''), { status: 401 }, 'the link has ended');
});
