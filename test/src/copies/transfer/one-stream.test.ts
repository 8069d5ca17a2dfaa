/** The rest of a large file comes as one stream where the line is fast; what if that stream is wrong, refused or becomes slow. */
import { randomBytes } from 'node:crypto';
import { test } from 'tap';
import { pause } from '#lib/runtime/timers.ts';
import { ALICE } from '../../../helpers/accounts.ts';
import { putImage } from '../../../helpers/datacenter.ts';
import { waitFor } from '../../../helpers/wait.ts';
import { copyPair, ended, transferOf } from '../fixture.ts';
import { assertWhole, FILE, honestly, lyingPair, MIB, PATIENT, PIECE } from '../lying-pair.ts';

/** A rate that any line has: the rest of the file comes as one stream as soon as the rate was measured once. */
const ANY_RATE = { ...PATIENT, oneStreamRate: 1 };
/** Bytes whose last piece is not a whole one, as with most files. */
const SIZE = 24 * PIECE + 5;

test('a wrong byte of the stream costs one piece, whatever the size of the file', async (t) => {
  const { source, dest, uuid, sha1, copied } = await lyingPair(t, ANY_RATE, SIZE);
  const wrong = SIZE - 12 * MIB;
  let [isChanged, sent] = [false, 0];
  const change = (bytes: Buffer, at: number): void => {
    sent += bytes.length;
    if (isChanged || at > wrong || at + bytes.length <= wrong) return;
    isChanged = true;
    flip(bytes, wrong - at);
  };
  source.lies = [{ path: FILE, answer: honestly(source, { change }) }];
  t.match(await copied(), { state: 'succeeded', members: [{ result: { attempt: 1 } }] });
  t.ok(isChanged);
  await assertWhole(t, dest, uuid, sha1);
  t.ok(sent < SIZE + 2 * PIECE, `${sent} of ${SIZE} bytes came`);
});

test('a source whose bytes are always wrong there fails the copy, after a bounded number of tries', async (t) => {
  const { source, dest, copied } = await lyingPair(t, ANY_RATE, SIZE);
  const wrong = SIZE - 12 * MIB;
  let sent = 0;
  const change = (bytes: Buffer, at: number): void => {
    sent += bytes.length;
    if (at <= wrong && at + bytes.length > wrong) flip(bytes, wrong - at);
  };
  source.lies = [{ path: FILE, answer: honestly(source, { change }) }];
  t.match(await copied(), { state: 'failed', error: { code: 'HashMismatch' } });
  t.ok(sent < 4 * SIZE, `${sent} bytes came of a file of ${SIZE}`);
  t.same(await dest.service.storages.named('local').sessions(), [], 'no staging is left');
});

test('a source that gives ranges of a piece and refuses those of more sends one stream from the first byte', async (t) => {
  const { source, dest, uuid, sha1, copied } = await lyingPair(t, ANY_RATE, SIZE);
  source.lies = [
    {
      path: FILE,
      answer: (incoming, response) => {
        const [, from, to] = /^bytes=(\d+)-(\d*)$/.exec(incoming.headers.range ?? '') ?? [];
        const isLong = Number(to || SIZE) - Number(from) >= PIECE;
        honestly(source, { withoutRange: isLong })(incoming, response);
      },
    },
  ];
  t.match(await copied(), { state: 'succeeded', members: [{ result: { attempt: 2 } }] });
  await assertWhole(t, dest, uuid, sha1);
});

test('a line that becomes slow brings pieces again, without having to break', async (t) => {
  const pair = await copyPair(t, { ...PATIENT, oneStreamRate: 16 * MIB });
  const { record, sha1 } = await putImage(pair.source, ALICE, {}, randomBytes(SIZE));
  const { uuid } = await pair.copy(record.uuid);
  const fast = { kind: 'line', rtt: 1, bytesPerSecond: 32 * MIB } as const;
  pair.network.trouble = fast;
  pair.engine();
  await waitFor('a third of it', async () => ((await transferOf(pair.service, record.uuid))?.bytes ?? 0) > SIZE / 3);
  pair.network.trouble = { ...fast, bytesPerSecond: 2 * MIB };
  await waitFor('many connections again', () => pair.network.connections >= 5);
  pair.network.trouble = { kind: 'none' };
  t.match(await ended(pair.service, uuid), { state: 'succeeded', members: [{ result: { attempt: 1 } }] });
  await assertWhole(t, pair, record.uuid, sha1);
});

test('a line that becomes slow in the last piece has not broken: a wrong byte costs one piece then as well', async (t) => {
  const { source, dest, uuid, sha1, copied } = await lyingPair(
    t,
    { ...PATIENT, oneStreamRate: 4 * MIB },
    SIZE - 3 * MIB,
  );
  let [wrong, slow] = [1, 3];
  const change = async (bytes: Buffer, at: number): Promise<void> => {
    if (at < SIZE - 6 * MIB) return;
    if (wrong > 0) flip(bytes, 0);
    wrong -= 1;
    if (slow > 0) await pause(1200);
    slow -= 1;
  };
  source.lies = [{ path: FILE, answer: honestly(source, { change }) }];
  t.match(await copied(), { state: 'succeeded', members: [{ result: { attempt: 1 } }] });
  t.ok(slow < 0);
  await assertWhole(t, dest, uuid, sha1);
});

function flip(bytes: Buffer, at: number): void {
  bytes.writeUInt8(bytes.readUInt8(at) ^ 1, at);
}
