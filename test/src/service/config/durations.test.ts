/** Durations that are longer than the platform's timers take: they mean what they say. */
import { Readable } from 'node:stream';
import t from 'tap';
import { applySchema } from '#src/service/config/schema.ts';
import { ALICE } from '../../../helpers/accounts.ts';
import { MANIFEST, makeImage } from '../../../helpers/images.ts';
import { startInProcess } from '../../../helpers/imgapi.ts';
import { waitFor } from '../../../helpers/wait.ts';

const MONTH = 2_592_000;
const LONG = {
  uploads: { idleSeconds: MONTH },
  sweep: { intervalSeconds: MONTH, graceSeconds: MONTH },
  accounts: { maxLagSeconds: MONTH, cacheSeconds: MONTH },
  copies: {
    giveUpAfterSeconds: 2 * MONTH,
    leaseSeconds: 3 * MONTH,
    heartbeatSeconds: MONTH,
    stallSeconds: MONTH,
    retryDelay: { min: MONTH, max: MONTH },
  },
};

t.test('a month is no millisecond: uploads, tasks, copies and the end work', async (t) => {
  const warnings: string[] = [];
  const onWarning = ({ name, message }: Error): void => void warnings.push(`${name}: ${message}`);
  process.on('warning', onWarning);
  t.teardown(() => process.off('warning', onWarning));
  const source = await startInProcess(t, { datacenterName: 'source' });
  const { image } = await makeImage(source.client({ account: ALICE }));

  const { imgapi, client } = await startInProcess(t, { ...LONG, imgapiUrlFromDatacenter: { source: source.url } });
  const alice = client({ account: ALICE });
  const { uuid } = await alice.createImage(MANIFEST);
  await alice.addImageFile(uuid, Readable.from([Buffer.from('a'), Buffer.from('b')]), { compression: 'none' });
  t.match(await alice.activateImage(uuid), { state: 'active', files: [{ size: 2 }] });
  await alice.importImageFromDatacenter(image.uuid, 'source');
  const isHere = async () => (await alice.getImage(image.uuid)).state === 'active';
  await waitFor('the copy to end', isHere);
  await imgapi.close({ patience: MONTH * 1000 });
  t.strictSame(warnings, [], 'no timer of the platform was given more than it takes');
});

t.test('what is longer than a hundred years is refused, for no date is that far away', async (t) => {
  for (const given of [
    { uploads: { idleSeconds: 3_153_600_001 } },
    { copies: { keepFinishedSeconds: 1e300 } },
    { placeholderImageLifespanDays: 36_501 },
    { pulls: { keepDays: 1e6 } },
    { shutdown: { seconds: 1e10 } },
  ]) {
    const { problems } = applySchema(given);
    t.equal(problems.length, 1);
    t.match(problems[0], /a hundred years/);
  }
});
