import { test } from 'tap';
import { PullNotes } from '#src/pulls/pull-events.ts';
import { ALICE } from '../../helpers/accounts.ts';
import { makeImage } from '../../helpers/images.ts';
import { startInProcess } from '../../helpers/imgapi.ts';

test('a datacenter that begins to read a file again and again within a minute is told of once', async (t) => {
  const server = await startInProcess(t);
  const { image } = await makeImage(server.client({ account: ALICE }));
  const notes = new PullNotes(server.imgapi.service);
  const pull = { uuid: image.uuid, account: ALICE, datacenter: 'east', requestId: image.uuid };
  const file = { sha1: 'a'.repeat(40), size: 1 };
  await Promise.all(Array.from({ length: 50 }, () => notes.note(pull, file)));
  await notes.note({ ...pull, datacenter: 'west' }, file);
  const events = await server.client().listImageEvents(image.uuid, { kind: 'pull' });
  t.same(events.map(({ actor }) => actor.datacenter).toSorted(), ['east', 'west']);
});
