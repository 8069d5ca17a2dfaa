import { test } from 'tap';
import { Documents } from '#lib/documents/sql/documents.ts';

/** A document of about 200 characters, which counts for about 1100 bytes. */
const JSON_TEXT = JSON.stringify({ text: 'x'.repeat(190) });
const BOUND = 11_000;

function keep(documents: Documents, etag: string, json = JSON_TEXT): void {
  documents.parse('key', etag, 0, json);
}

const kept = (documents: Documents, etags: readonly string[]) =>
  etags.filter((etag) => documents.cached(etag) !== undefined);

test('once there is no room, keeps what is parsed again, and forgets what was not used for longest', async (t) => {
  const documents = new Documents(BOUND);
  keep(documents, 'used');
  const etags = Array.from({ length: 100 }, (_, i) => `e${i}`);
  for (const etag of etags) {
    keep(documents, etag);
    t.ok(documents.cached('used'));
  }
  t.strictSame(kept(documents, etags), etags.slice(0, 8), 'those that there was room for');
  for (const etag of etags.slice(50)) {
    t.ok(documents.cached('used'));
    keep(documents, etag);
  }
  t.strictSame(kept(documents, etags), etags.slice(-8), 'the last ones that were parsed again');
});

test('what is parsed once drives nothing out, however much it is', async (t) => {
  const documents = new Documents(BOUND);
  const etags = Array.from({ length: 9 }, (_, i) => `e${i}`);
  for (const etag of etags) keep(documents, etag);
  for (let i = 0; i < 100_000; i += 1) {
    const stored = documents.parse('key', `once${i}`, 0, '{"count":1}');
    if (i === 0) t.strictSame(stored, { key: 'key', etag: 'once0', mtime: 0, value: { count: 1 } });
  }
  const left = kept(documents, etags).length;
  t.ok(left >= 8, `${left} of ${etags.length} are still there`);
  keep(documents, 'once99999', '{"count":1}');
  t.ok(documents.cached('once99999'), 'what is parsed again is kept');
});

test('keeps all that has room, however often it goes through them', async (t) => {
  const documents = new Documents(BOUND);
  const etags = Array.from({ length: 9 }, (_, i) => `e${i}`);
  for (const etag of etags) keep(documents, etag);
  for (let round = 0; round < 3; round += 1) t.strictSame(kept(documents, etags), etags);
});

test('counts weights, also of what is replaced or deleted', async (t) => {
  const documents = new Documents(BOUND);
  keep(documents, 'heavy', JSON.stringify({ text: 'x'.repeat(2000) }));
  t.notOk(documents.cached('heavy'), 'nothing may take more than half');
  keep(documents, 'b');
  for (let i = 0; i < 20; i += 1) {
    keep(documents, 'a');
    t.ok(documents.cached('a'));
    documents.forget('a');
    keep(documents, 'c');
    keep(documents, 'c');
  }
  t.strictSame(kept(documents, ['a', 'b', 'c']), ['b', 'c']);
});
