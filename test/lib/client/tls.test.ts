/** https:// where there is plain HTTP: said in words that help. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import t from 'tap';
import { ImgapiClient } from '#lib/client/client.ts';

t.test('TLS to a plain port is told as that', async (t) => {
  const server = createServer((_request, response) => response.end('{}'));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => server.close());
  const { port } = server.address() as AddressInfo;
  const client = new ImgapiClient({ url: `https://127.0.0.1:${port}` });
  t.teardown(() => client.destroy());
  await t.rejects(client.ping(), {
    name: 'ImgapiUnreachableError',
    message: `https://127.0.0.1:${port}/ping cannot be reached: it speaks HTTP there and no TLS; ask with http:// instead of https://`,
  });
});
