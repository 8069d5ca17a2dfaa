/** Restify's hello world, the reference for requests per second. */
import type { AddressInfo } from 'node:net';
import restify from 'restify';

const server = restify.createServer({ name: 'bare' });
server.get({ path: '/hello', name: 'hello' }, async (_request, response) => {
  response.send(200, { hello: 'world' });
});
server.listen(0, '127.0.0.1', () => {
  const { port } = server.server.address() as AddressInfo;
  process.stdout.write(`bare restify listens on http://127.0.0.1:${port}\n`);
});
process.on('SIGTERM', () => process.exit(0));
