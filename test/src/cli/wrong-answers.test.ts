/** A server that answers a command with JSON of the wrong form is named, and nothing is reported as done. */
import { test } from 'tap';
import { runImgapiadm } from './capture.ts';
import { UUID } from './fixtures.ts';
import { json, playBack } from './playback.ts';
import { played } from './triton-image/home.ts';

const WRONG: readonly [value: unknown, why: string][] = [
  [null, 'it is null instead of an object'],
  [[{}], 'it is a list instead of an object'],
  [{}, 'it has no (uu)?id'],
];

for (const [value, why] of WRONG) {
  const script = { [`GET /images/${UUID}`]: json(value), [`POST /images/${UUID}`]: json(value) };
  const told = new RegExp(`^[\\w-]+: error \\(InvalidAnswer\\): the answer of http://127\\S+ .*: ${why}\\n$`);

  test(`imgapiadm names the server that answers ${JSON.stringify(value)}`, async (t) => {
    const { url } = await playBack(t, script);
    for (const args of [
      ['get', UUID],
      ['disable', UUID],
    ]) {
      t.match(await runImgapiadm([...args, '-u', url]), { code: 1, stdout: '', stderr: told }, args.join(' '));
    }
  });

  test(`triton-image names the server that answers ${JSON.stringify(value)}`, async (t) => {
    const { run } = await played(t, script);
    for (const args of [
      ['get', UUID],
      ['share', UUID, 'bob'],
      ['clone', UUID],
    ]) {
      t.match(await run(args), { code: 1, stdout: '', stderr: told }, args.join(' '));
    }
  });
}

test('lists of something else than images are refused too', async (t) => {
  for (const [value, why] of [
    ['welcome', 'it is a string instead of a list'],
    [{}, 'it is an object instead of a list'],
    [[null], 'an item of the list is null instead of an object'],
    [[{}], 'an item of the list has no (uu)?id'],
    [
      [
        { uuid: UUID, id: UUID },
        { uuid: 1, id: 1 },
      ],
      'an item of the list has no (uu)?id',
    ],
  ] as const) {
    const script = { 'GET /images': json(value) };
    const told = new RegExp(`InvalidAnswer\\): the answer of http://127\\S+ .*: ${why}\\n$`);
    const { url } = await playBack(t, script);
    for (const args of [
      ['list', '--json'],
      ['get', 'base-64'],
    ]) {
      t.match(await runImgapiadm([...args, '-u', url]), { code: 1, stdout: '', stderr: told }, args.join(' '));
    }
    const { run } = await played(t, script);
    t.match(await run(['list', '--json']), { code: 1, stdout: '', stderr: told });
  }
});
