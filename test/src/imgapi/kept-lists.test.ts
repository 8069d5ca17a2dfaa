/** Lists that are asked for again: the same bytes as long as nothing has changed them, and never those of another caller. */
import { test } from 'tap';
import { ShortPage } from '#src/images/list.ts';
import { KeptLists } from '#src/imgapi/kept-lists.ts';
import { ALICE, BOB } from '../../helpers/accounts.ts';
import { startInProcess } from '../../helpers/imgapi.ts';
import { asker } from './fixtures/ask.ts';
import { imageRecord, putRecords } from './fixtures/records.ts';

test('a list is sent again as it was, until a write could have changed it', async (t) => {
  const { imgapi, url } = await startInProcess(t);
  const { service } = imgapi;
  const ask = asker(t, url);
  const mine = imageRecord('active', { owner: ALICE, name: 'twice' });
  const other = imageRecord('active', { owner: ALICE, name: 'other' });
  await putRecords(service, [mine, other]);
  const path = '/images?limit=20&name=twice';
  const lists = new KeptLists();
  const sent = { version: 2, user: undefined, url: path } as const;
  const short = ShortPage.of(
    service,
    { account: undefined },
    { billingTags: [], tags: [], name: 'twice' },
    { order: 'asc', limit: 20 },
  );
  if (!short) throw new Error('a page of 20 is short');
  const view = { version: 2, mode: 'dc', viewer: 'full' } as const;

  await ask(path);
  const first = lists.answerAnew(sent, short, view)?.bytes;
  t.equal(lists.answerTo({ ...sent, version: 1 }), undefined, 'of another version nothing is known');
  t.equal(lists.answerTo({ ...sent, user: 'somebody' }), undefined, 'nor of a request that is signed');
  await ask(`/images/${other.uuid}?action=update`, { method: 'POST', json: { description: 'new' } });
  t.equal(lists.answerTo(sent)?.bytes, first, 'a write to another image');
  await ask(`/images/${mine.uuid}?action=update`, { method: 'POST', json: { description: 'new' } });
  t.equal(lists.answerTo(sent), undefined, 'a write to one of its images');
});

test('who asks again gets what is so now, as that caller may see it', async (t) => {
  const { imgapi, url } = await startInProcess(t);
  const ask = asker(t, url);
  const image = imageRecord('active', { owner: ALICE, name: 'twice', public: false });
  await putRecords(imgapi.service, [image]);
  const descriptions = async (query: string, version = '~2'): Promise<(string | undefined)[]> => {
    const { text } = await ask(`/images?limit=5&name=twice${query}`, { headers: { 'accept-version': version } });
    return (JSON.parse(text) as { description?: string }[]).map(({ description }) => description);
  };
  for (const description of ['é', 'plain']) {
    await ask(`/images/${image.uuid}?action=update`, { method: 'POST', json: { description } });
    for (let again = 0; again < 3; again += 1) {
      for (const version of ['~1', '~2', '~3']) t.same(await descriptions('', version), [description]);
      t.same(await descriptions(`&account=${ALICE}`), [description]);
      t.same(await descriptions(`&account=${BOB}`), []);
    }
    const { status, text } = await ask('/images?limit=5&name=twice', { method: 'HEAD' });
    t.same([status, text], [200, '']);
  }
});
