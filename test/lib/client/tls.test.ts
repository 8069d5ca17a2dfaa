/** TLS: what is spoken over it, and https:// where there is plain HTTP, said in words that help. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import sshpk from 'sshpk';
import t from 'tap';
import { ImgapiClient } from '#lib/client/client.ts';
import { guardedAgent } from '#lib/client/guarded-agent.ts';
import { HttpTransport } from '#lib/client/transport.ts';

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
    message: `https://127.0.0.1:${port}/ping cannot be reached: it speaks plain HTTP there, not TLS; use http:// instead of https://`,
  });
});

t.test('no connection asks for HTTP/2, whoever makes it', async (t) => {
  const key = sshpk.generatePrivateKey('ecdsa');
  const cert = sshpk.createSelfSignedCertificate(sshpk.identityForHost('127.0.0.1'), key).toString('pem');
  const offered: (readonly string[])[] = [];
  const server = createTlsServer({
    key: key.toString('pem'),
    cert,
    ALPNCallback({ protocols }) {
      offered.push(protocols);
      return protocols[0];
    },
  });
  server.on('secureConnection', (socket) => socket.end('HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n'));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => server.close());
  const url = `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const dispatcher = await guardedAgent({ check: () => undefined, timeout: 1000, insecure: true });
  const plain = new HttpTransport({ url, insecure: true });
  t.teardown(() => Promise.all([dispatcher.destroy(), plain.destroy()]));
  for (const transport of [plain, new HttpTransport({ url, dispatcher })]) {
    const { status, body } = await transport.send({ method: 'GET', path: '/' });
    body.destroy();
    t.equal(status, 204);
  }
  t.notOk(offered.flat().includes('h2'), JSON.stringify(offered));
});
