/** An array that is read item by item, however it is written and wherever the pieces of it end. */
import { test } from 'tap';
import { ImgapiError } from '#lib/client/errors.ts';
import { waitFor } from '../../helpers/wait.ts';
import { itemsOf } from './items.ts';
import { clientOf, failure, serve } from './server.ts';

const TRICKY = [
  { text: 'a "quoted" ] } [ { , \\ \\\\" end\\', list: [[], {}, [1, [2]]], 'key,]"': null },
  'plain, ] text',
  '\\',
  '"',
  [],
  {},
  -1.5,
  true,
  null,
  'ü € 😀',
];

test('the items are those of the array, wherever the pieces end', async (t) => {
  const forms = [
    JSON.stringify(TRICKY),
    JSON.stringify(TRICKY, null, 2),
    ` \r\n\t${JSON.stringify(TRICKY, null, '\t')} \n`,
    `\uFEFF${JSON.stringify(TRICKY)}`,
    '[]',
    ' [ ] ',
    '[{}]',
  ];
  for (const form of forms) {
    const bytes = Buffer.from(form);
    const expected = JSON.parse(form.replace('\uFEFF', ''));
    for (let size = 1; size <= 40; size += 1) t.strictSame(await itemsOf(bytes, size), expected, `${size} of ${form}`);
    t.strictSame(await itemsOf(bytes, bytes.length), expected);
  }
});

test('what is no array, or not all of one, is an error', async (t) => {
  const wrong = [
    ...[
      '',
      ' ',
      '{}',
      '{"a":[1]}',
      'null',
      '"[]"',
      '[',
      '[1',
      '[1,',
      '[1,2',
      '[{"a":1}',
      '["]"',
      '[1,]',
      '[,1]',
      '[,]',
    ],
    ...['[1,,2]', '[1 2]', '[1}', '{1]', '[1]]', '[1],', '[1][2]', '[[1]', '[{]}', '[{"a":1]}]', '[tru]', "['a']"],
    ...['[1] x', '\uFEFF', '\uFEFF\uFEFF[]', '[\uFEFF]', '[12345678901234567890]', '[1, 12345678901234567890]'],
  ];
  for (const text of wrong) {
    const bytes = Buffer.from(text);
    for (const size of [1, 2, 3, bytes.length || 1]) {
      const error = await itemsOf(bytes, size).then(
        () => undefined,
        (thrown: unknown) => thrown,
      );
      t.ok(error instanceof ImgapiError && error.code === 'InvalidAnswer', `${size} of ${text}: ${String(error)}`);
    }
  }
  const notUtf8 = Buffer.concat([Buffer.from('["'), Buffer.from([0xff]), Buffer.from('"]')]);
  await t.rejects(itemsOf(notUtf8, 3), { code: 'InvalidAnswer', message: /not valid UTF-8/ });
});

test('an item that never ends is given up', async (t) => {
  await t.rejects(itemsOf(Buffer.from(`["${'x'.repeat(5_000_000)}"]`), 65_536), {
    code: 'InvalidAnswer',
    message: /an item longer than 4194304 bytes/,
  });
});

test('a list is read no faster than it is taken, and ends when its reader does', async (t) => {
  let sent = 0;
  let isGone = false;
  const item = JSON.stringify({ uuid: 'x'.repeat(10_000) });
  const server = await serve(t, async (_, response) => {
    response.writeHead(200, { 'content-type': 'application/json' });
    let goOn: () => void = () => {};
    response.on('drain', () => goOn());
    response.once('close', () => {
      isGone = true;
      goOn();
    });
    response.write('[\n');
    while (!isGone) {
      sent += item.length;
      if (response.write(`${item},\n`)) continue;
      await new Promise<void>((resolve) => {
        goOn = resolve;
      });
    }
  });
  const list = clientOf(t, server.url).scanImages();
  let taken = 0;
  for (let i = 0; i < 3; i += 1) taken += (await list.next()).value?.length ?? 0;
  t.ok(taken > 0);
  let before = -1;
  await waitFor('the server to be held up', () => {
    const isSame = sent === before;
    before = sent;
    return isSame;
  });
  t.ok(sent < 64 * 1024 * 1024, `${sent} bytes`);
  await list.return();
  await waitFor('the server to notice', () => isGone);
});

test('a list that breaks off in the middle gives what came, and then the error', async (t) => {
  const server = await serve(t, (_, response) => {
    response.writeHead(200, { 'content-type': 'application/json' });
    response.write('[{"uuid":"a"},\n{"uuid":"b"},\n{"uu', () => response.destroy());
  });
  const list = clientOf(t, server.url).scanImages();
  t.match((await list.next()).value, [{ uuid: 'a' }, { uuid: 'b' }]);
  t.match(await failure(list.next()), { name: 'ImgapiUnreachableError', fault: 'reset' });
});
