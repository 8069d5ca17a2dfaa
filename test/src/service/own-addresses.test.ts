import { randomUUID } from 'node:crypto';
import { test } from 'tap';
import { startInProcess } from '../../helpers/imgapi.ts';

test('a running service fetches from none of its listeners: main port, links, metrics', async (t) => {
  const { imgapi, client } = await startInProcess(t, {
    links: { port: 0 },
    metrics: { address: '127.0.0.1', port: 0 },
  });
  const { url, linksUrl, metricsUrl, service } = imgapi;
  for (const own of [url, linksUrl, metricsUrl]) {
    const { port } = new URL(own ?? '');
    t.ok(service.ownAddresses.has('127.0.0.1', Number(port)), `${own}`);
    for (const host of ['127.0.0.1', 'localhost', '[::ffff:127.0.0.1]', '0.0.0.0']) {
      const source = `http://${host}:${port}`;
      const refused = { statusCode: 422, code: 'InvalidParameter', message: /this service itself/ };
      await t.rejects(client().adminImportFromSource(randomUUID(), source), refused, source);
      await t.rejects(client().adminImportRemoteImage(randomUUID(), source), { name: 'ImgapiError' }, source);
    }
  }
});
