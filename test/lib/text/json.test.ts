/** What is read is what was sent, or an error. */
import t from 'tap';
import { JsonError, parseJson, parseJsonText } from '#lib/text/json.ts';

const bytes = (text: string) => Buffer.from(text);

t.test('bytes that are no UTF-8 are told where they are', async (t) => {
  for (const [given, at] of [
    [[0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d], 2],
    [[0x22, 0xc3, 0x22], 1],
    [[0x22, 0xed, 0xa0, 0x80, 0x22], 1],
    [[0x22, 0xc0, 0x80, 0x22], 1],
    [[...bytes('"\ufffd'), 0xfe, 0x22], 4],
  ] as const) {
    t.throws(() => parseJson(Buffer.from(given)), { name: 'JsonError', message: `not valid UTF-8 (at byte ${at})` });
  }
  t.equal(parseJson(bytes('"ä€😀\ufffd"')), 'ä€😀\ufffd');
});

t.test('a byte-order mark means nothing', async (t) => {
  t.same(parseJson(bytes('\ufeff{"a":1}')), { a: 1 });
  t.same(parseJsonText('\ufeff{"a":1}'), { a: 1 });
  t.throws(() => parseJson(bytes('\ufeff\ufeff{}')), JsonError);
  t.same(parseJson(bytes('"\ufeff"')), '\ufeff', 'within a text it is a character');
});

t.test('numbers that a double cannot hold are refused by name', async (t) => {
  for (const number of [
    '12345678901234567890',
    '-9007199254740993',
    '9007199254740993',
    '1e400',
    '-1e309',
    '1e-400',
    '0.12345678901234567890123',
    '100000000000000000000001',
    '1.00000000000000000001',
    '9007199254740993.0',
    '90071992547409930e-1',
  ]) {
    t.throws(() => parseJsonText(`{"a":{"cores":${number}}}`), {
      name: 'JsonError',
      message: new RegExp(`cannot be kept exactly: ${number.replace(/[.+-]/g, '\\$&')}, "cores"`),
    });
    t.throws(() => parseJsonText(`[1,${number}]`), JsonError);
    t.throws(() => parseJsonText(number), JsonError);
  }
});

t.test('all other numbers are taken, however they are written', async (t) => {
  for (const number of [
    '0',
    '-0',
    '0.1',
    '1.50',
    '1e3',
    '9007199254740991',
    '9007199254740992',
    '1.7976931348623157e308',
    '5e-324',
    '123456789012345680000',
    '1e21',
    '1E+21',
    '0.1000000000000000000000',
    '100000000000000000000000000000000000e-30',
    '0e999',
    '2.2250738585072014e-308',
    '99999999999999e289',
    '0.000000000001e-289',
  ]) {
    t.same(parseJsonText(`{"a":${number}}`), { a: Number(number) }, number);
  }
  t.same(parseJsonText('{"a":"12345678901234567890","1e99":"9007199254740993"}'), {
    a: '12345678901234567890',
    '1e99': '9007199254740993',
  });
});

t.test('whatever was written as JSON by a double comes back', async (t) => {
  const buffer = new DataView(new ArrayBuffer(8));
  for (let turn = 0; turn < 5000; turn += 1) {
    buffer.setBigUint64(0, BigInt.asUintN(64, BigInt(turn) * 0x9e3779b97f4a7c15n));
    const number = buffer.getFloat64(0);
    if (Number.isFinite(number)) t.equal(parseJsonText(JSON.stringify(number)), number === 0 ? 0 : number);
  }
});

t.test('what is no JSON, or too deep, is refused', async (t) => {
  for (const text of ['', '{', '{"a":}', 'NaN', '01', '{"a":1} x']) {
    t.throws(() => parseJsonText(text), { name: 'JsonError', message: /^not valid JSON: / });
  }
  const deep = (levels: number) => '['.repeat(levels) + ']'.repeat(levels);
  t.ok(parseJsonText(deep(100)));
  for (const levels of [102, 500_000]) t.throws(() => parseJsonText(deep(levels)), { message: /nested more than 100/ });
  // Not even parsed: that alone takes long.
  t.throws(() => parseJsonText('['.repeat(500_000)), { message: /nested more than 100/ });
  t.same(parseJsonText(`{"a":"${'['.repeat(200)}\\"${'{'.repeat(200)}\\\\"}`), {
    a: `${'['.repeat(200)}"${'{'.repeat(200)}\\`,
  });
});

t.test('looking at the numbers takes little more than parsing them, however many could be inexact', async (t) => {
  const least = (action: () => unknown) => {
    const times = Array.from({ length: 5 }, () => {
      const start = performance.now();
      action();
      return performance.now() - start;
    });
    return Math.min(...times);
  };
  const text = JSON.stringify(Array.from({ length: 100_000 }, (_, at) => at)).replaceAll(',', 'e22,');
  const [plain, checked] = [least(() => JSON.parse(text)), least(() => parseJsonText(text))];
  t.ok(checked < 40 * plain, `${checked.toFixed(1)} ms, of which parsing ${plain.toFixed(1)} ms`);
});
