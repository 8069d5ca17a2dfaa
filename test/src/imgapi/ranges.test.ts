/** Files in whole and in ranges, and the headers that tell which it is. */
import { randomBytes } from 'node:crypto';
import { type Test, test } from 'tap';
import { startInProcess } from '../../helpers/imgapi.ts';
import { type Asker, asker } from './fixtures/ask.ts';
import { hashOf, ICON, ICON_RECORD, imageRecord, MTIME, putObject, putRecords } from './fixtures/records.ts';

interface Fixture {
  readonly ask: Asker;
  readonly file: string;
  readonly sha1: string;
}

async function fileOf(t: Test, bytes: Buffer): Promise<Fixture> {
  const { imgapi, url } = await startInProcess(t);
  const ask = asker(t, url);
  const file = {
    sha1: hashOf('sha1', bytes, 'hex'),
    contentMD5: hashOf('md5', bytes, 'base64'),
    size: bytes.length,
    compression: 'gzip',
    stor: 'local',
    mtime: MTIME,
  } as const;
  const record = imageRecord('active', { files: [file], icon: ICON_RECORD });
  await putRecords(imgapi.service, [record]);
  await putObject(imgapi.service, record.uuid, 'file0', bytes);
  await putObject(imgapi.service, record.uuid, 'icon', ICON);
  return { ask, file: `/images/${record.uuid}/file`, sha1: file.sha1 };
}

const SMALL = Buffer.from('0123456789');

/** What a range asks for: bytes and where they begin, all of it (`whole`), or nothing that is there (`none`). */
type Asked = { readonly start: number; readonly end: number } | 'whole' | 'none';

function everyRange(size: number): (readonly [header: string, asked: Asked])[] {
  const ranges: (readonly [string, Asked])[] = [];
  for (let start = 0; start <= size + 2; start++) {
    ranges.push([`bytes=${start}-`, start < size ? { start, end: size - 1 } : 'none']);
    for (let end = 0; end <= size + 2; end++) {
      if (end < start) ranges.push([`bytes=${start}-${end}`, 'whole']);
      else ranges.push([`bytes=${start}-${end}`, start < size ? { start, end: Math.min(end, size - 1) } : 'none']);
    }
  }
  for (let length = 0; length <= size + 2; length++) {
    const isThere = length > 0 && size > 0;
    ranges.push([`bytes=-${length}`, isThere ? { start: Math.max(0, size - length), end: size - 1 } : 'none']);
  }
  return ranges;
}

const ODD: readonly (readonly [header: string, asked: Asked])[] = [
  ['bytes=0-99999999999999999999', { start: 0, end: 9 }],
  ['bytes=99999999999999999999-', 'none'],
  ['bytes=-99999999999999999999', { start: 0, end: 9 }],
  ['Bytes=1-2', { start: 1, end: 2 }],
  ['bytes=0-1,3-4', 'whole'],
  ['bytes=0-0, -1', 'whole'],
  ['bytes=', 'whole'],
  ['bytes=-', 'whole'],
  ['bytes=a-b', 'whole'],
  ['bytes=1', 'whole'],
  ['bytes=1-2-3', 'whole'],
  ['bytes=--1', 'whole'],
  ['bytes=0x1-0x2', 'whole'],
  ['bytes=1.5-2', 'whole'],
  ['items=0-1', 'whole'],
  ['0-1', 'whole'],
];

async function checkRange(t: Test, { ask, file, sha1 }: Fixture, bytes: Buffer, header: string, asked: Asked) {
  const got = await ask(file, { headers: { range: header } });
  const head = await ask(file, { method: 'HEAD', headers: { range: header } });
  t.equal(head.status, got.status, header);
  if (asked === 'none') {
    t.equal(got.status, 416, header);
    t.equal(got.json.code, 'RangeNotSatisfiable');
    t.equal(got.headers['content-range'], `bytes */${bytes.length}`);
    return;
  }
  const { headers } = got;
  t.equal(headers['etag'], sha1);
  t.equal(headers['accept-ranges'], 'bytes');
  t.equal(headers['content-type'], 'application/octet-stream');
  t.equal(headers['content-length'], String(got.bytes.length));
  t.equal(head.headers['content-length'], headers['content-length'], header);
  if (asked === 'whole') {
    t.equal(got.status, 200, header);
    t.ok(got.bytes.equals(bytes), header);
    t.equal(headers['content-range'], undefined);
    t.equal(headers['content-md5'], hashOf('md5', bytes, 'base64'));
    return;
  }
  const { start, end } = asked;
  t.equal(got.status, 206, header);
  t.ok(got.bytes.equals(bytes.subarray(start, end + 1)), header);
  t.equal(headers['content-range'], `bytes ${start}-${end}/${bytes.length}`);
  t.equal(headers['content-md5'], undefined, 'it is that of the whole');
}

test('a file without a Range comes whole, with its hash, tag and date, and says that ranges are served', async (t) => {
  const { ask, file, sha1 } = await fileOf(t, SMALL);
  const { status, headers, bytes } = await ask(file);
  t.equal(status, 200);
  t.ok(bytes.equals(SMALL));
  t.match(headers, {
    etag: sha1,
    'accept-ranges': 'bytes',
    'content-length': '10',
    'content-type': 'application/octet-stream',
    'content-md5': hashOf('md5', SMALL, 'base64'),
    'last-modified': new Date(MTIME).toUTCString(),
  });
});

test('every range of a small file is that range, and what is no range is the whole file', async (t) => {
  const fixture = await fileOf(t, SMALL);
  for (const [header, asked] of [...everyRange(SMALL.length), ...ODD]) {
    await checkRange(t, fixture, SMALL, header, asked);
  }
});

test('an empty file has no range, but can be read', async (t) => {
  const nothing = Buffer.alloc(0);
  const fixture = await fileOf(t, nothing);
  const whole = await fixture.ask(fixture.file);
  t.equal(whole.status, 200);
  t.equal(whole.headers['content-length'], '0');
  for (const [header, asked] of everyRange(0)) await checkRange(t, fixture, nothing, header, asked);
});

test('a file read in parts is the file', async (t) => {
  const bytes = randomBytes(3_000_017);
  const { ask, file, sha1 } = await fileOf(t, bytes);
  const parts: Buffer[] = [];
  for (let start = 0; start < bytes.length; start += 777_777) {
    const answer = await ask(file, {
      headers: { range: `bytes=${start}-${start + 777_776}`, 'if-range': `"${sha1}"` },
    });
    t.equal(answer.status, 206);
    parts.push(answer.bytes);
  }
  t.equal(hashOf('sha1', Buffer.concat(parts), 'hex'), sha1);
});

test('If-Range gets a part of the very same file, and otherwise the whole of what is there now', async (t) => {
  const { ask, file, sha1 } = await fileOf(t, SMALL);
  const stored = new Date(MTIME);
  const day = 86_400_000;
  const table: readonly (readonly [ifRange: string, status: number])[] = [
    [sha1, 206],
    [`"${sha1}"`, 206],
    [stored.toUTCString(), 206],
    ['"another"', 200],
    [hashOf('sha1', 'another', 'hex'), 200],
    [new Date(stored.getTime() - day).toUTCString(), 200],
    [new Date(stored.getTime() + day).toUTCString(), 200],
    ['', 200],
    ['nonsense', 200],
  ];
  for (const [ifRange, status] of table) {
    const answer = await ask(file, { headers: { range: 'bytes=2-4', 'if-range': ifRange } });
    t.equal(answer.status, status, `If-Range: ${ifRange}`);
    t.equal(answer.text, status === 206 ? '234' : '0123456789');
  }
  const without = await ask(file, { headers: { 'if-range': sha1 } });
  t.equal(without.status, 200, 'without a Range it means nothing');
  const beyond = await ask(file, { headers: { range: 'bytes=10-', 'if-range': '"another"' } });
  t.equal(beyond.status, 200, 'nor does a range of another file');
});

test('conditions come before the range', async (t) => {
  const { ask, file, sha1 } = await fileOf(t, SMALL);
  const range = 'bytes=2-4';
  t.equal((await ask(file, { headers: { range, 'if-none-match': sha1 } })).status, 304);
  t.equal((await ask(file, { headers: { range, 'if-match': 'another' } })).status, 412);
  t.equal((await ask(file, { headers: { range: 'bytes=10-', 'if-none-match': sha1 } })).status, 304);
  t.equal((await ask(file, { headers: { range, 'if-match': sha1 } })).status, 206);
});

test('icons have ranges too, with their own type; manifests and lists have none', async (t) => {
  const { ask, file } = await fileOf(t, SMALL);
  const icon = await ask(file.replace('/file', '/icon'), { headers: { range: 'bytes=4-9' } });
  t.equal(icon.status, 206);
  t.ok(icon.bytes.equals(ICON.subarray(4, 10)));
  t.equal(icon.headers['content-type'], 'image/png');
  for (const path of [file.replace('/file', ''), '/images']) {
    const answer = await ask(path, { headers: { range: 'bytes=0-1' } });
    t.equal(answer.status, 200);
    t.equal(answer.headers['accept-ranges'], undefined);
  }
});

test('a file is chosen by index, the first when it is none', async (t) => {
  const { ask, file } = await fileOf(t, SMALL);
  for (const index of ['0', '', 'x', '00']) {
    t.equal((await ask(`${file}?index=${index}`)).status, 200, index);
  }
  for (const index of ['1', '2', '999']) {
    const answer = await ask(`${file}?index=${index}`);
    t.equal(answer.status, 404, index);
    t.match(answer.json, { code: 'ResourceNotFound', message: `has no file at index ${index}` });
  }
});
