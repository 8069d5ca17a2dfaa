/** What the URL of a webhook may lead to, and what it may hold. */
import { test } from 'tap';
import { webhookStatuses } from '#src/copies/webhooks/upkeep.ts';
import { webhookRules } from '#src/service/config/webhooks.ts';
import { ALICE } from '../../../helpers/accounts.ts';
import { freePort } from '../../../helpers/free-port.ts';
import { makeImage } from '../../../helpers/images.ts';
import { startInProcess } from '../../../helpers/imgapi.ts';
import { waitFor } from '../../../helpers/wait.ts';
import { startReceiver, writeSecret } from '../../../helpers/webhooks.ts';

test('a webhook leads into private networks, but not to this service itself', async (t) => {
  const receiver = await startReceiver(t);
  const port = await freePort();
  const secretFile = await writeSecret(t);
  const east = await startInProcess(t, { datacenterName: 'east' });
  const west = await startInProcess(t, {
    ...{ datacenterName: 'west', imgapiUrlFromDatacenter: { east: east.url }, port },
    webhooks: [
      { name: 'outside', url: receiver.url, secretFile },
      { name: 'itself', url: `http://localhost:${port}/images?action=import`, secretFile },
    ],
  });
  const { image } = await makeImage(east.client(), {}, { owner: ALICE });
  await west.client({ account: ALICE }).copyImageFromDc(image.uuid, { datacenter: 'east' });
  await receiver.got(1);
  const itself = await waitFor('both to be tried', async () => {
    const states = await webhookStatuses(west.imgapi.service);
    return states.find(({ name, last }) => name === 'itself' && last);
  });
  t.equal(itself.last?.status, undefined, 'it did not answer itself');
  t.match(itself.last?.error, /./);
});

test('the URL of a webhook is http or https, and holds no user or password', async (t) => {
  const problemsOf = (url: string) =>
    webhookRules({ webhooks: [{ name: 'a', url, secretFile: '/a', events: [] }] }).join('\n');
  t.equal(problemsOf('http://10.0.0.1:8080/imgapi?x=y'), '');
  for (const url of ['file:///etc/passwd', 'ftp://a.example.com', 'unix:/run/x', 'a']) {
    t.match(problemsOf(url), /webhooks\[0\]\.url/, url);
  }
  for (const url of [
    'https://user:geheim@a.example.com',
    'https://user@a.example.com',
    'https://a.example.com/#geheim',
  ]) {
    t.match(problemsOf(url), /no user, password or fragment/, url);
    t.notMatch(problemsOf(url), /geheim/);
  }
});
