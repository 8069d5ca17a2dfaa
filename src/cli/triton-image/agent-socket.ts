/** Whether an SSH agent listens: the library that talks to agents ends the process when none does. */
import { once } from 'node:events';
import { connect } from 'node:net';

const PATIENCE_MS = 5000;

/** Why it cannot be asked; undefined when it can. */
export async function agentTrouble(socketPath: string): Promise<string | undefined> {
  const socket = connect(socketPath);
  try {
    await once(socket, 'connect', { signal: AbortSignal.timeout(PATIENCE_MS) });
    return undefined;
  } catch (error) {
    return error instanceof Error && error.name !== 'AbortError' ? error.message : 'it does not answer';
  } finally {
    socket.destroy();
  }
}
