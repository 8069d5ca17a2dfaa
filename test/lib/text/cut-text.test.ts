import { test } from 'tap';
import { cutText, FOREIGN_TEXT_LIMIT } from '#lib/text/cut-text.ts';

test('what no store may keep is replaced', async (t) => {
  t.equal(cutText('a\0b\uD800c😀'), 'a\uFFFDb\uFFFDc😀');
});

test('text is at most as many bytes as allowed, and whole characters', async (t) => {
  t.equal(cutText('short'), 'short');
  t.equal(cutText('x'.repeat(FOREIGN_TEXT_LIMIT)).length, FOREIGN_TEXT_LIMIT);
  for (const character of ['x', 'ä', '€', '😀']) {
    for (const before of ['', 'x', 'xx', 'xxx']) {
      const cut = cutText(before + character.repeat(5000));
      const bytes = Buffer.byteLength(cut);
      t.ok(bytes <= FOREIGN_TEXT_LIMIT && bytes > FOREIGN_TEXT_LIMIT - 8, `${bytes} bytes of ${character}`);
      t.match(cut, /…$/);
      t.notMatch(cut, /\uFFFD/);
      t.ok(cut.startsWith(before + character));
    }
  }
});
