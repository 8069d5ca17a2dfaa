/** How many copies one account may follow at a time: each holds a connection to IMGAPI. */
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { test } from 'tap';
import { asker, cloudapiInProcess, makePeople, signedHeaders } from '../../helpers/cloudapi.ts';
import { startListener } from '../../helpers/listener.ts';
import { waitFor } from '../../helpers/wait.ts';

test('watches and plans of one account are bounded, and others have theirs', async (t) => {
  const people = makePeople();
  const { alice, bob } = people;
  const begun: string[] = [];
  const { url: imgapi } = await startListener(t, {
    async 'GET /images/:uuid/copy'(call) {
      begun.push(`${call.query['plan'] ?? 'watch'} ${call.query['account']}`);
      if (!call.signal.aborted) await once(call.signal, 'abort');
      return { json: null };
    },
  });
  const limits = { watches: 4, plans: 4, share: 0.25 };
  const { url } = await cloudapiInProcess(t, { people: Object.values(people), imgapi, keys: { limits } });
  const ask = asker(t, url);
  const path = `/my/images/${randomUUID()}/copy`;
  for (const [kind, target, headers] of [
    ['watch', path, { accept: 'application/x-json-stream' }],
    ['true', `${path}?plan=true&datacenter=east-1`, { accept: 'application/json' }],
  ] as const) {
    const leaving = new AbortController();
    t.teardown(() => leaving.abort());
    const hold = (as: typeof alice): void => {
      const signed = { ...signedHeaders('GET', target, { as }), ...headers };
      globalThis.fetch(url + target, { headers: signed, signal: leaving.signal }).catch(() => undefined);
    };
    const hasBegun = async (uuid: string) => begun.includes(`${kind} ${uuid}`);
    hold(alice);
    await waitFor('the first one', () => hasBegun(alice.uuid));
    const refused = await ask(target, { as: alice, headers });
    t.match(refused, { status: 429, json: { code: 'TooManyRequests' }, headers: { 'retry-after': '5' } });
    hold(bob);
    await waitFor('that of another account', () => hasBegun(bob.uuid));
    leaving.abort();
  }
});
