/** Image records are written through the door of `src/images/record/` and nowhere else, as the code itself says. */
import { globSync, readFileSync } from 'node:fs';
import { test } from 'tap';

const FILES = globSync('{src,lib}/**/*.ts').toSorted();

function filesWith(pattern: RegExp): string[] {
  return FILES.filter((file) => pattern.test(readFileSync(file, 'utf8')));
}

test('only the door makes writes of image records', async (t) => {
  t.same(filesWith(/\bbucket: IMAGES\b/), ['src/images/record/record-write.ts']);
  t.same(filesWith(/\bupdate(Object|With)\(\s*[\w.]+,\s*IMAGES\b/), ['src/images/record/change.ts']);
  // What names the bucket may be given another name, or be handed on.
  t.same(filesWith(/\bIMAGES as\b|'imgapi_images'/), [
    'lib/manifest/record.ts',
    // It reads pages of them, beside the rows of the API that have the same name.
    'src/imgapi/image-call.ts',
    // What the bucket is called in a dump of another IMGAPI.
    'src/takeover/export/dump-target.ts',
    'src/takeover/sources/dump-source.ts',
  ]);
});

test('records are parts of batches only where they belong together with something else', async (t) => {
  t.same(filesWith(/\bimport \{[^}]*\b(putRecord|buried)\b[^}]*\}/), [
    // By the table of copies, together with orders and transfers.
    'src/copies/orders/commit-order.ts',
    'src/copies/orders/end-order.ts',
    'src/copies/orders/new-order.ts',
    'src/copies/transfer/attempt.ts',
    // New images of an account, together with what they build on.
    'src/images/cloning/clone.ts',
    'src/images/create.ts',
    // A deleted image that is removed for good or restored, in place of the very tombstone that was read.
    'src/images/deleted/purge.ts',
    'src/images/deleted/undelete.ts',
    // What is left of an image that goes, with what goes along.
    'src/images/record/tombstones.ts',
    // An image under its new UUID, together with what is left under the old one.
    'src/images/renaming/reservation.ts',
    // An image of another IMGAPI, together with the note that it was begun.
    'src/takeover/images/bring-image.ts',
  ]);
});

test('nobody but the service itself writes past the caller', async (t) => {
  t.same(filesWith(/\bchangeRecord\(/), [
    // The table of copies decides, and answers in its own way.
    'src/copies/orders/recopy.ts',
    // The later steps of a placement that the door let begin, and the copy engine's.
    'src/images/files/file-placement.ts',
    'src/images/files/late-md5.ts',
    'src/images/files/read-unread.ts',
    'src/images/record/change.ts',
    // Logins that nobody held when they were shared.
    'src/images/sharing/shares.ts',
    // A placeholder whose job has failed, and an image of another IMGAPI whose bytes are there.
    'src/machines/held-job.ts',
    // What is known of stored bytes, whoever owns them.
    'src/maintenance/scrub/quarantine.ts',
    'src/takeover/images/bring-image.ts',
  ]);
});

test('whose an image is, is asked of access.ts', async (t) => {
  const compares = filesWith(/\bowner\b\s*[!=]==\s*(\w+\.)*account\b|\baccount\b\s*[!=]==\s*(\w+\.)*owner\b/);
  t.same(
    compares.filter((file) => !/^src\/(cli|cloudapi)\//.test(file)),
    [
      // Whose a copy is; the owner at the source, in a manifest that was sent, and the one that a list is filtered by.
      'src/copies/holders.ts',
      'src/copies/orders/checks.ts',
      'src/images/create.ts',
      'src/images/list.ts',
      'src/images/record/access.ts',
      // Whose a machine is.
      'src/machines/instances.ts',
      'src/machines/order-image.ts',
    ],
  );
});
