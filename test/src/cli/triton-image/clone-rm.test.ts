import { test } from 'tap';
import { BOB, UUID } from '../fixtures.ts';
import { json } from '../playback.ts';
import { cloudImage, listing, played } from './home.ts';

const OLD = cloudImage({ uuid: '11111111-0000-4000-8000-000000000000', version: '0.9.0' });
const BOBS = cloudImage({
  uuid: '77777777-0000-4000-8000-000000000000',
  name: 'tools',
  owner: BOB,
  owner_login: 'bob',
});

test('rm deletes own images, and refuses a name that several have', async (t) => {
  const { run, server } = await played(t, {
    'GET /images': listing(cloudImage(), OLD, BOBS),
    [`DELETE /images/${OLD.id}`]: (response) => {
      response.writeHead(204);
      response.end();
    },
  });
  t.match(await run(['rm', 'my-image']), { code: 1, stderr: /"my-image" names 2 images; say which one you mean/ });
  t.match(await run(['rm', 'my-image@0.9.0', 'tools']), { code: 4, stderr: /no image "tools" of your own/ });
  t.notOk(
    server.asked.some(({ method }) => method === 'DELETE'),
    'nothing goes before all are found',
  );
  t.strictSame(await run(['rm', 'my-image@0.9.0']), {
    ...{ code: 0, stderr: '', stdout: 'Image 11111111 my-image@0.9.0 is deleted.\n' },
  });
});

test('clone makes an image of one that somebody shares', async (t) => {
  const { run, server } = await played(t, {
    'GET /images': listing(BOBS),
    [`POST /images/${BOBS.id}`]: json(cloudImage({ name: 'tools' })),
  });
  t.match(await run(['clone', 'tools']), { code: 4, stderr: /add -S bob/ });
  t.strictSame(await run(['clone', '-S', 'bob', 'tools']), {
    ...{ code: 0, stderr: '', stdout: `Image 0965c1f4 tools@1.0.0 is yours: ${UUID}\n` },
  });
  t.match(server.asked.at(-1), { method: 'POST', path: /action=clone/ });
});

test('undelete restores what deleted lists', async (t) => {
  const gone = { id: UUID, name: 'my-image', version: '1.0.0', size: 5 };
  const dates = { deleted_at: '2017-10-17T21:00:00.000Z', goes_at: '2017-10-24T21:00:00.000Z' };
  const { run, server } = await played(t, {
    'GET /deletedimages': json([{ ...gone, ...dates }]),
    [`POST /images/${UUID}`]: json(cloudImage()),
  });
  t.match(await run(['deleted', '-H', '-o', 'id,size,goes']), {
    ...{ code: 0, stdout: `${UUID}  5  2017-10-24T21:00:00\n` },
  });
  t.strictSame(await run(['undelete', UUID]), {
    ...{ code: 0, stderr: '', stdout: 'Image 0965c1f4 my-image@1.0.0 is restored.\n' },
  });
  t.match(server.asked.at(-1), { method: 'POST', path: /action=undelete/ });
  t.match(await run(['undelete', 'my-image']), { code: 2, stderr: /"my-image" is no UUID/ });
});
