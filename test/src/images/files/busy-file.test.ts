/** Whoever reads a file while another one takes its place is told so, and by an answer that the API's description has. */
import t from 'tap';
import { updateObject } from '#lib/documents/update.ts';
import { IMAGES } from '#lib/manifest/record.ts';
import { PLACEMENT_LEASE_MS } from '#src/images/files/file-placement.ts';
import { ALICE } from '../../../helpers/accounts.ts';
import { makeImage } from '../../../helpers/images.ts';
import { startInProcess } from '../../../helpers/imgapi.ts';
import { refusal } from '../fixture.ts';

t.test('a file that another upload is replacing is not read', async (t) => {
  const server = await startInProcess(t);
  const { store, worker } = server.imgapi.service;
  const operator = server.client();
  const { image } = await makeImage(operator, {}, { owner: ALICE, activate: false });
  await updateObject(store, IMAGES, image.uuid, (record) => {
    const [file] = record.files ?? [];
    if (!file) throw new Error('it has no file');
    const other = { ...file, sha1: '0'.repeat(40) };
    return {
      ...record,
      intent: {
        object: 'images/other',
        session: 'other',
        size: other.size,
        sha1: other.sha1,
        file: other,
        kind: 'file' as const,
        worker,
      },
      intent_lease: new Date(store.now() + PLACEMENT_LEASE_MS).toISOString(),
      rev: (record.rev ?? 0) + 1,
    };
  });
  t.match(await refusal(operator.getImageFile(image.uuid)), { status: 409, code: 'ImageFileBusy' });
});
