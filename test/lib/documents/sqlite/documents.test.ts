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

test('keeps what is used and forgets the rest once it weighs too much', async (t) => {
  const documents = new Documents(BOUND);
  keep(documents, 'used');
  const etags = Array.from({ length: 100 }, (_, i) => `e${i}`);
  for (const etag of etags) {
    keep(documents, etag);
    t.ok(documents.cached('used'));
  }
  t.strictSame(kept(documents, etags), etags.slice(-8), 'as many as there is room for');
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
    documents.forget('a');
    keep(documents, 'c');
    keep(documents, 'c');
  }
  t.strictSame(kept(documents, ['a', 'b', 'c']), ['b', 'c']);
});
