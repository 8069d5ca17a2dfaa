/** A reverse proxy: removes the first part of the path and passes the request on to the server of that name. */
import { createServer, request as send } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Test } from 'tap';

export interface PathProxy {
  readonly url: string;
  /** `/NAME/x` becomes `/x` at the server's URL. */
  readonly servers: Map<string, string>;
  /** Whether the server gets the client's Host header instead of its own name. */
  keepsHost: boolean;
}

export async function startPathProxy(t: Test): Promise<PathProxy> {
  const servers = new Map<string, string>();
  const server = createServer((request, response) => {
    const [, name = '', path = ''] = /^\/([^/?]+)(.*)$/.exec(request.url ?? '') ?? [];
    const to = servers.get(name);
    if (to === undefined) {
      response.statusCode = 404;
      response.end();
      return;
    }
    const headers = proxy.keepsHost ? request.headers : { ...request.headers, host: new URL(to).host };
    const passed = send(`${to}${path}`, { method: request.method, headers, setHost: false }, (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(response);
    });
    passed.on('error', () => response.destroy());
    request.pipe(passed);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const proxy: PathProxy = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    servers,
    keepsHost: true,
  };
  t.teardown(() => {
    server.closeAllConnections();
    return new Promise((resolve) => server.close(resolve));
  });
  return proxy;
}
