/** Closes a listener of any kind: requests under way may finish, within a limit. */
import { once } from 'node:events';
import type { Server } from 'node:http';
import { Server as TcpServer } from 'node:net';
import { startTimer } from '#lib/runtime/timers.ts';

export interface Closing {
  /** Milliseconds after which the connections that are left are cut. */
  readonly patience: number;
  /**
   * Milliseconds for which an idle connection stays open, in case its client is just sending a request: that one is
   * still served. Default: none.
   */
  readonly linger?: number;
  /** Ends the patience early. */
  readonly hurry?: AbortSignal;
}

const IDLE_CHECK_MS = 50;

/** Accepts no more connections at once, and resolves when all are closed. */
export async function closeServer(server: Server, { patience, linger = 0, hurry }: Closing): Promise<void> {
  const closed = once(server, 'close');
  // That of node:http would also end the idle connections.
  TcpServer.prototype.close.call(server);
  const lingerEnd = performance.now() + linger;
  const endIdle = (): void => {
    if (performance.now() < lingerEnd && hurry?.aborted !== true) return;
    server.close();
    // Connections that become idle later would stay open for another request.
    server.closeIdleConnections();
  };
  const cut = (): void => server.closeAllConnections();
  endIdle();
  const idle = setInterval(endIdle, IDLE_CHECK_MS);
  const timer = startTimer(cut, patience);
  if (hurry?.aborted) cut();
  hurry?.addEventListener('abort', cut, { once: true });
  await closed;
  // That of node:http also ends its timer, which would keep the server, and all that it serves with, in memory for ever.
  server.close();
  hurry?.removeEventListener('abort', cut);
  clearInterval(idle);
  timer.stop();
}
