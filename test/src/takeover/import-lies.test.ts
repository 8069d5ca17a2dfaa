/** `imgapiadm import-data URL` of a server that lies: it costs the image that it lies about, never the others or the import. */
import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type Test, test } from 'tap';
import { ImgapiClient } from '#lib/client/client.ts';
import { NIL_UUID } from '#lib/text/uuid.ts';
import { type ServedLimits, servedSource } from '#src/cli/imgapiadm/data/served-source.ts';
import type { DataSource } from '#src/takeover/sources/data-source.ts';
import { sha1Of } from '../../helpers/images.ts';
import { runImgapiadm } from '../cli/capture.ts';
import { importInto, newPlace, PUBLIC } from './fixtures/import.ts';

const SIZE = 100_000;
const FAR = { signal: new AbortController().signal };

type Fields = Readonly<Record<string, unknown>>;

interface Asked {
  readonly what: 'list' | 'manifest' | 'icon' | 'file';
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
}

interface Liar {
  readonly url: string;
  /** The second is honest. */
  readonly images: readonly [Fields, Fields];
}

/** Returns whether it has answered. */
type Lie = (asked: Asked, liar: Liar) => boolean;

function send(response: ServerResponse, value: unknown): true {
  response.end(JSON.stringify(value));
  return true;
}

function sendIcon(response: ServerResponse): true {
  response.setHeader('content-type', 'image/png').end('picture');
  return true;
}

/** Lists two images; what is asked of the first, or of the list, may be answered with a lie. */
async function liarWith(t: Test, lie: Lie, fields: Fields = {}): Promise<Liar> {
  const bytes = randomBytes(SIZE);
  const made = (more: Fields) => ({
    ...{ v: 2, uuid: randomUUID(), owner: NIL_UUID, name: 'old', version: '1', type: 'other', os: 'other' },
    ...{ state: 'active', disabled: false, public: true, published_at: '2020-01-02T03:04:05.006Z' },
    files: [{ sha1: sha1Of(bytes), size: SIZE, compression: 'none' }],
    ...more,
  });
  const images = [made(fields), made({})] as const;
  const server = createServer((request, response) => {
    const [, uuid, name = 'manifest'] = /^\/images(?:\/([^/?]+)(?:\/(file|icon))?)?/.exec(request.url ?? '') ?? [];
    const what = uuid === undefined ? 'list' : (name as Asked['what']);
    const isLiedAbout = what === 'list' || uuid === images[0].uuid;
    if (isLiedAbout && lie({ what, request, response }, liar)) return undefined;
    if (what === 'file') return void response.setHeader('content-length', SIZE).end(bytes);
    return send(response, what === 'list' ? images : images.find((image) => image.uuid === uuid));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.teardown(() => {
    server.closeAllConnections();
    server.close();
  });
  const liar = { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, images };
  return liar;
}

const about = (what: Asked['what'], answer: (response: ServerResponse, liar: Liar) => unknown): Lie => {
  return (asked, liar) => {
    if (asked.what !== what) return false;
    answer(asked.response, liar);
    return true;
  };
};
const ofSize = (size: number) => about('file', (response) => response.end(randomBytes(size)));

const LIES: Readonly<Record<string, { lie: Lie; fields?: Fields; why: RegExp }>> = {
  'a manifest that is null': {
    lie: about('manifest', (response) => send(response, null)),
    why: /InvalidAnswer.* instead of an object/,
  },
  'a manifest that is a list': {
    lie: about('manifest', (response) => send(response, [])),
    why: /InvalidAnswer.* instead of an object/,
  },
  "another image's manifest": {
    lie: about('manifest', (response, { images }) => send(response, images[1])),
    why: /manifest of another image: its uuid is "/,
  },
  'a size that is text': {
    lie: about('manifest', (response, { images: [first] }) =>
      send(response, { ...first, files: [{ ...(first['files'] as Fields[])[0], size: `${SIZE}` }] }),
    ),
    why: /a number of bytes as "size", not "100000"/,
  },
  'another origin than it has listed': {
    lie: about('manifest', (response, { images: [first, second] }) =>
      send(response, { ...first, origin: second.uuid }),
    ),
    why: /its origin is not what the list says/,
  },
  'an icon that is a page': {
    lie: about('icon', (response) => response.setHeader('content-type', 'text/html').end('<script>')),
    fields: { icon: true },
    why: /"icon" must be of one of the types image\/jpeg, image\/gif, image\/png, not "text\/html"/,
  },
  'no byte of a file': { lie: ofSize(0), why: /file0: it ended after 0 of 100000 bytes/ },
  'a part of a file': { lie: ofSize(10), why: /file0: / },
  'more than a file': { lie: ofSize(SIZE + 1), why: /file0: more than its 100000 bytes came/ },
  'a file that never comes': {
    lie: about('file', (response) => response.flushHeaders()),
    why: /file0: nothing arrived/,
  },
};

for (const [name, { lie, fields, why }] of Object.entries(LIES)) {
  test(`the other images come from a server that sends ${name}`, async (t) => {
    const liar = await liarWith(t, lie, fields);
    const place = await newPlace(t, { ...PUBLIC, uploads: { idleSeconds: 1 } });
    const { code, report } = await importInto(place, liar.url);
    t.equal(code, 1);
    t.strictSame(
      report.images.map(({ uuid }) => uuid),
      [liar.images[1].uuid],
    );
    t.match(report.problems, [{ uuid: liar.images[0].uuid, reasons: [why] }]);
    t.equal(report.problems.length, 1);
  });
}

test('a server that is in trouble for a moment costs no image', async (t) => {
  const troubles = new Map<string, number>();
  const lie: Lie = ({ what, request, response }) => {
    const nth = (troubles.get(what) ?? 0) + 1;
    troubles.set(what, nth);
    if (what === 'list' || nth > 2) return what === 'icon' && sendIcon(response);
    if (nth === 1) request.socket.destroy();
    response.statusCode = 503;
    return send(response, { code: 'ServiceUnavailable', message: 'later' });
  };
  const liar = await liarWith(t, lie, { icon: true });
  const { code, report } = await importInto(await newPlace(t), liar.url);
  t.match({ code, report }, { code: 0, report: { images: [{}, {}], problems: [] } });
  t.match(Object.fromEntries(troubles), { manifest: 3, icon: 3, file: 3 });
});

test('what is no list of images ends the import with a word', async (t) => {
  for (const list of [{}, 'x', [null], [5], [[]]]) {
    const { url } = await liarWith(
      t,
      about('list', (response) => send(response, list)),
    );
    const { file } = await newPlace(t);
    const { code, stderr } = await runImgapiadm(['import-data', url, '-f', file]);
    t.match(
      { code, stderr },
      { code: 1, stderr: /InvalidAnswer.* instead of (a list|an object)/ },
      JSON.stringify(list),
    );
  }
});

test('what is listed without a UUID is a problem, and nothing is asked by it', async (t) => {
  const paths: string[] = [];
  const liar = await liarWith(t, ({ what, request, response }, { images: [, second] }) => {
    paths.push(request.url ?? '');
    return what === 'list' && send(response, [{ uuid: '../../x' }, { ...second, origin: '../y' }, {}]);
  });
  const { report } = await importInto(await newPlace(t), liar.url);
  t.match(report, { images: [{}], remarks: [] });
  t.strictSame(
    report.problems.map(({ where, reasons: [why] }) => [where, why]),
    [
      ['/images, image 1', 'its uuid is "../../x"'],
      ['/images, image 3', 'its uuid is missing'],
    ],
  );
  t.notOk(
    paths.some((path) => path.includes('x')),
    paths.join(' '),
  );
});

async function sourceAt(t: Test, url: string, limits: Partial<ServedLimits>): Promise<DataSource> {
  const source = servedSource(new ImgapiClient({ url, version: '*' }), url, limits);
  t.teardown(() => source.close());
  return source;
}

test('a manifest and an icon that only drip are given up', async (t) => {
  for (const what of ['manifest', 'icon'] as const) {
    const drips = about(what, (response) => {
      const timer = setInterval(() => response.write(' '), 20);
      response.on('close', () => clearInterval(timer));
    });
    const { url, images } = await liarWith(t, drips, { icon: true });
    const source = await sourceAt(t, url, { timeout: 200 });
    const reading = source.read(String(images[0]['uuid']), FAR.signal);
    await t.rejects(reading, { name: 'UnreadableError', message: /did not answer within 0.2 s/ }, what);
  }
});

test('a list that never ends is given up', async (t) => {
  let page = 0;
  const { url, images } = await liarWith(
    t,
    about('list', (response, { images: [first] }) => {
      page += 1;
      send(
        response,
        Array.from({ length: 1000 }, (_, i) => ({ ...first, uuid: uuidOf(page * 1000 + i) })),
      );
    }),
  );
  t.ok(images);
  const source = await sourceAt(t, url, { mostImages: 5000 });
  const all = async () => {
    for await (const _ of source.list(FAR.signal));
  };
  await t.rejects(all(), { name: 'ImgapiError', code: 'InvalidAnswer', message: /more than 5000 images/ });
  t.ok(page < 10);
});

function uuidOf(number: number): string {
  const hex = createHash('sha1').update(`${number}`).digest('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}
