import { test } from 'tap';
import { closest, suggestion } from '#lib/text/suggest.ts';

const NAMES = ['list', 'get', 'copy', 'copies', 'copies cancel', 'datacenters', 'link-dc', 'unlink-dc'];

const CLOSE: readonly [string, string | undefined][] = [
  ['lst', 'list'],
  ['ilst', 'list'],
  ['lists', 'list'],
  ['LIST', 'list'],
  ['cop', 'copy'],
  ['copie', 'copies'],
  ['data', 'datacenters'],
  ['datacentres', 'datacenters'],
  ['linkdc', 'link-dc'],
  ['frobnicate', undefined],
  ['x', undefined],
];

for (const [word, meant] of CLOSE) {
  test(`${word} is taken for ${meant ?? 'nothing'}`, async (t) => {
    t.equal(closest(word, NAMES), meant);
  });
}

test('a suggestion is a question, or nothing', async (t) => {
  t.equal(suggestion('lst', NAMES), '; did you mean "list"?');
  t.equal(suggestion('frobnicate', NAMES), '');
});
