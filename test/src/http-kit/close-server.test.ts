/** A listener that was closed is gone: a server that starts anew in the same process would keep all that it was. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { test } from 'tap';
import { closeServer } from '#src/http-kit/close-server.ts';
import { waitFor } from '../../helpers/wait.ts';

async function closedServer(linger: number): Promise<WeakRef<object>> {
  const server = createServer((_request, response) => response.end());
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  await closeServer(server, { patience: 1000, linger });
  return new WeakRef(server);
}

for (const linger of [0, 200]) {
  test(`nothing keeps a listener in memory that was closed when nobody was connected (lingering ${linger} ms)`, async () => {
    setFlagsFromString('--expose-gc');
    const collect = runInNewContext('gc') as () => void;
    const server = await closedServer(linger);
    await waitFor('it to be gone', () => {
      collect();
      return server.deref() === undefined;
    });
  });
}
