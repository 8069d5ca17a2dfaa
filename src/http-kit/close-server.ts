/** The end of a listener, of whatever kind: what is under way may end, but not for ever. */
import { once } from 'node:events';
import type { Server } from 'node:http';
import { startTimer } from '#lib/runtime/timers.ts';

const IDLE_CHECK_MS = 50;

/** Takes no more connections, and cuts those that are left after `patience` milliseconds. */
export async function closeServer(server: Server, patience: number): Promise<void> {
  const closed = once(server, 'close');
  server.close();
  server.closeIdleConnections();
  // A connection whose last answer went out meanwhile would stay open for a next request, which nobody takes.
  const idle = setInterval(() => server.closeIdleConnections(), IDLE_CHECK_MS);
  const timer = startTimer(() => server.closeAllConnections(), patience);
  await closed;
  clearInterval(idle);
  timer.stop();
}
