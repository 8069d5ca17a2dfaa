/** Closes a listener of any kind: requests under way may finish, within a limit. */
import { once } from 'node:events';
import type { Server } from 'node:http';
import { startTimer } from '#lib/runtime/timers.ts';

const IDLE_CHECK_MS = 50;

/** Accepts no more connections, and cuts those that are left after `patience` milliseconds. */
export async function closeServer(server: Server, patience: number): Promise<void> {
  const closed = once(server, 'close');
  server.close();
  server.closeIdleConnections();
  // Connections that become idle meanwhile would stay open for another request, which would not be served.
  const idle = setInterval(() => server.closeIdleConnections(), IDLE_CHECK_MS);
  const timer = startTimer(() => server.closeAllConnections(), patience);
  await closed;
  clearInterval(idle);
  timer.stop();
}
