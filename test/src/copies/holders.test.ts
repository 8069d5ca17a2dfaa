import { test } from 'tap';
import { holdersOf } from '#src/copies/holders.ts';
import { ALICE } from '../../helpers/accounts.ts';
import { linkedPair, putImage } from '../../helpers/datacenter.ts';

test('the datacenters that have an image are told by their own word, or as copies are recorded', async (t) => {
  const { east, west } = await linkedPair(t);
  const ask = (record: Parameters<typeof holdersOf>[1]) =>
    holdersOf(east.service, record, { account: ALICE, signal: new AbortController().signal });
  const { record } = await putImage(east, ALICE, { public: true });
  t.same(await ask(record), []);
  await putImage(west, ALICE, { ...record, disabled: true });
  t.same(await ask(record), [{ datacenter: west.name, state: 'disabled', sha1: record.files?.[0]?.sha1 }]);
  const copied_from = { datacenter: west.name, at: '2026-01-02T03:04:05.006Z' };
  const copied = (await putImage(east, ALICE, { copied_from })).record;
  t.same(await ask(copied), [], 'it says that it has it no more');
  const gone = (await putImage(east, ALICE, { copied_from: { ...copied_from, datacenter: 'us-gone-1' } })).record;
  t.same(await ask(gone), [{ datacenter: 'us-gone-1', recorded: true }]);
  await west.stop();
  t.match(await ask(copied), [{ datacenter: west.name, recorded: true, error: { code: 'SourceUnreachable' } }]);
});
