/** Keys of JSON objects are those that were sent, whatever was parsed before. */
import { test } from 'tap';
import { parseWithExactKeys } from '#lib/text/exact-keys.ts';

/** Objects whose keys end in a backslash, after keys that those of the tests have as well: V8 mistakes others for them. */
const before = ['{"p":1,"k\\\\":2}', '{"tags":{"p":1,"caf\\\\":2}}', '{"p":[],"\\\\":0}'].map((text) =>
  JSON.parse(text),
);

test('Keys with escapes are as they were sent', async (t) => {
  t.equal(before.length, 3);
  for (const [text, keys] of [
    ['{"p":1,"k\\"":2}', ['p', 'k"']],
    ['{"p":1,"k\\u00e9":2}', ['p', 'ké']],
    ['{"p":1,"k\\u0000" : 2}', ['p', 'k\0']],
    ['{"p":1,"\\n":2}', ['p', '\n']],
    ['{"p":1,"k\\\\":2,"k\\"":3}', ['p', 'k\\', 'k"']],
    ['{"k\\u005c":1,"key0.0":2,"key1.1":"key2."}', ['k\\', 'key0.0', 'key1.1']],
    ['{"p":1,"__proto\\u005f_":{"q":1}}', ['p', '__proto__']],
  ] as const) {
    t.strictSame(Object.keys(parseWithExactKeys(text) as object), keys, text);
  }
});

test('What is below keys with escapes is as it was sent', async (t) => {
  t.strictSame(parseWithExactKeys('{"v":"a\\"b: \\\\","tags":{"p":1,"caf\\u00e9":[{"p":"\\"x\\":","k\\"":null}]}}'), {
    v: 'a"b: \\',
    tags: { p: 1, café: [{ p: '"x":', 'k"': null }] },
  });
});

test('Of a key that comes twice, written in two ways, the last counts', async (t) => {
  t.strictSame(parseWithExactKeys('{"\\u0061":1,"a":2,"\\u0061":3,"b\\"":4}'), { a: 3, 'b"': 4 });
  t.strictSame(parseWithExactKeys('{"a":1,"\\u0061":2,"a":3,"b\\"":4}'), { a: 3, 'b"': 4 });
});

test('Any object that is written is read again as it was', async (t) => {
  const alphabet = ['\\', '"', 'k', 'p', ':', '\n', '\0', 'é', '\u2028', 'u', '0', '{', ' '];
  let state = 1;
  const next = (below: number): number => {
    state = (state * 48_271) % 2_147_483_647;
    return state % below;
  };
  const text = (): string => Array.from({ length: next(4) }, () => alphabet[next(alphabet.length)]).join('');
  const make = (depth: number): unknown =>
    depth === 0 ? text() : Object.fromEntries(Array.from({ length: next(4) }, () => [text(), make(next(depth))]));
  for (let turn = 0; turn < 5000; turn += 1) {
    const value = make(3);
    for (const indent of [0, 2]) {
      const read = parseWithExactKeys(JSON.stringify(value, null, indent));
      if (JSON.stringify(read) !== JSON.stringify(value)) t.strictSame(read, value);
    }
  }
});
