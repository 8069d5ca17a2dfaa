/**
 * Asks a Node.js process that does not end what it does, by its inspector, which a signal starts: a process that spins
 * answers no handler of its own.
 */
import type { ChildProcess } from 'node:child_process';

/** Milliseconds for an answer; a process that spins outside of JavaScript gives none. */
const PATIENCE_MS = 5000;
/** Milliseconds after which a process that has not paused runs nothing now. */
const IDLE_MS = 2000;
const ADDRESS = /ws:\/\/\S+/;
const FRAMES = 12;
const EVALUATED = 4;

interface CallFrame {
  readonly functionName: string;
  readonly location: { readonly scriptId: string; readonly lineNumber: number };
}

interface Message {
  readonly id?: number;
  readonly method?: string;
  readonly params?: { readonly callFrames?: readonly CallFrame[]; readonly scriptId?: string; readonly url?: string };
  readonly result?: { readonly result?: { readonly value?: unknown } };
}

/** The stack of a process that spins, what a process that waits is waiting for, or that neither could be learned. */
export async function whatItDoes(child: ChildProcess): Promise<string> {
  const { promise, resolve } = Promise.withResolvers<string>();
  const timer = setTimeout(() => resolve('it does not say: it runs no JavaScript and waits for nothing'), PATIENCE_MS);
  const sockets: WebSocket[] = [];
  let said = '';
  const listen = (chunk: Buffer) => {
    said += chunk.toString();
    const [address] = ADDRESS.exec(said) ?? [];
    if (address && sockets.length === 0) sockets.push(ask(address, resolve));
  };
  child.stderr?.on('data', listen);
  child.kill('SIGUSR1');
  const answer = await promise;
  clearTimeout(timer);
  child.stderr?.off('data', listen);
  for (const socket of sockets) socket.close();
  return answer;
}

function ask(address: string, tell: (answer: string) => void): WebSocket {
  const socket = new WebSocket(address);
  const scripts = new Map<string, string>();
  const send = (id: number, method: string, params = {}) => socket.send(JSON.stringify({ id, method, params }));
  socket.onerror = () => tell('its inspector refuses');
  socket.onopen = () => {
    send(1, 'Debugger.enable');
    send(2, 'Debugger.pause');
    setTimeout(() => {
      if (socket.readyState !== WebSocket.OPEN) return;
      send(3, 'Debugger.disable');
      send(EVALUATED, 'Runtime.evaluate', { expression: 'process.getActiveResourcesInfo().join(", ")' });
    }, IDLE_MS);
  };
  socket.onmessage = ({ data }) => {
    const { id, method, params, result } = JSON.parse(String(data)) as Message;
    if (method === 'Debugger.scriptParsed') scripts.set(params?.scriptId ?? '', params?.url ?? '');
    if (method === 'Debugger.paused' && params?.callFrames) tell(stackText(params.callFrames, scripts));
    if (id === EVALUATED) tell(`it waits for: ${String(result?.result?.value)}`);
  };
  return socket;
}

function stackText(frames: readonly CallFrame[], scripts: ReadonlyMap<string, string>): string {
  const lines = frames.slice(0, FRAMES).map(({ functionName, location }) => {
    return `at ${functionName || '(anonymous)'} (${scripts.get(location.scriptId)}:${location.lineNumber + 1})`;
  });
  return `it runs:\n${lines.join('\n')}`;
}
