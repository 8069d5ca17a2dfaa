/** What a datacenter has of images that are not there yet, or never came: it is taken as it is. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'tap';
import { IMAGES } from '#lib/manifest/record.ts';
import { ALICE } from '../../helpers/accounts.ts';
import { startInProcess, temporaryFolder } from '../../helpers/imgapi.ts';
import { importInto, newPlace } from './fixtures/import.ts';

const CREATING = 'aaaaaaaa-1111-4222-8333-444444444444';
const FAILED = 'bbbbbbbb-1111-4222-8333-444444444444';
const BEGUN = {
  v: 2,
  owner: ALICE,
  name: 'x',
  version: '1',
  type: 'null',
  os: 'null',
  activated: false,
  disabled: false,
  public: false,
};

test('placeholders of images from machines come, and expire when they would have', async (t) => {
  const dump = join(await temporaryFolder(t), 'dump');
  const soon = new Date(Date.now() + 3_600_000).toISOString();
  const records = [
    { ...BEGUN, uuid: CREATING, state: 'creating', expires_at: soon },
    {
      ...BEGUN,
      uuid: FAILED,
      state: 'failed',
      error: { code: 'PrepareImageError', message: 'no' },
      expires_at: '2016-01-01T00:00:00.000Z',
    },
  ];
  writeFileSync(dump, records.map((record) => JSON.stringify(record)).join('\n'));
  const place = await newPlace(t, {});
  const { code, report } = await importInto(place, dump);
  t.strictSame({ code, problems: report.problems }, { code: 0, problems: [] });
  t.match(await importInto(place, dump), { code: 0, report: { same: 2, images: [] } });
  const server = await startInProcess(t, {}, { dataDir: place.dataDir });
  t.match(await server.client().getImage(CREATING), { state: 'creating' });
  const { service } = server.imgapi;
  t.match((await service.store.get(IMAGES, CREATING))?.value, { expires_at: soon });
});
