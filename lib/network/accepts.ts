/** Whether somebody listens at an address of this machine. */
import { connect } from 'node:net';

const PATIENCE_MS = 5000;
const ALL: Readonly<Record<string, string>> = { '0.0.0.0': '127.0.0.1', '::': '::1' };

/** Where a listener on this address of the machine, which may stand for all, is reached. */
export function reachedAt(address: string): string {
  return ALL[address] ?? address;
}

export function accepts(address: string, port: number): Promise<boolean> {
  return new Promise((done) => {
    const socket = connect({ host: reachedAt(address), port, timeout: PATIENCE_MS });
    const end = (answer: boolean) => {
      socket.destroy();
      done(answer);
    };
    socket.once('connect', () => end(true));
    socket.once('timeout', () => end(false));
    socket.once('error', () => end(false));
  });
}
