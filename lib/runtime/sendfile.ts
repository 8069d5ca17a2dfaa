/**
 * sendfile(2): the system sends the bytes of a file to a connection, and copies them once. A read and a write copy them
 * twice, and take the event loop's time. Node has no call for it, so koffi calls libc's, on the threads that read files.
 * Where there is none (koffi has no binary for the platform, another system's call has other parameters) whoever sends
 * reads and writes, as for connections with TLS.
 */
import type { Socket } from 'node:net';

/** fcntl(2) on Linux: another descriptor of the same open file, which no child process inherits. */
const F_DUPFD_CLOEXEC = 1030;
/** setsockopt(2), tcp(7): from how many unsent bytes on a connection has no room. */
const [IPPROTO_TCP, TCP_NOTSENT_LOWAT, MOST_WAITING] = [6, 25, 1024 * 1024];

interface Libc {
  /** @returns bytes, or -1. */
  readonly sendfile: (to: number, from: number, at: number, length: number) => Promise<number>;
  /** @returns a descriptor, or -1. */
  readonly duplicate: (descriptor: number) => number;
  /** Otherwise megabytes would wait for a slow reader, and nothing would tell for long that it goes on. */
  readonly limitWaiting: (connection: number) => void;
  readonly close: (descriptor: number) => void;
}

/** Sends parts of files to one connection. To be closed. */
export interface FileSender {
  /**
   * Resolves with the bytes that were taken, which does not wait for room: 0 also if the system cannot do it for such a file
   * or connection, or no longer. A write tells which. Nothing else may be on its way to the connection meanwhile.
   * @param from a descriptor that stays open until then
   */
  send(from: number, at: number, length: number): Promise<number>;
  close(): void;
}

let libc: Promise<Libc | undefined> | undefined;

/** Undefined if it cannot be done here, or for this connection. */
export async function fileSender(socket: Socket | null): Promise<FileSender | undefined> {
  libc ??= loadLibc().catch(() => undefined);
  const system = await libc;
  const connection = descriptorOf(socket);
  if (!system || connection === undefined) return undefined;
  // One of its own: when node closes the other, its number may soon be that of somebody else's connection.
  const to = system.duplicate(connection);
  if (to < 0) return undefined;
  system.limitWaiting(to);
  return {
    send: async (from, at, length) => Math.max(0, await system.sendfile(to, from, at, length)),
    close: () => system.close(to),
  };
}

/** Node shows it to nobody else. Undefined if bytes that are written are not those that are sent, or it is closed. */
function descriptorOf(socket: Socket | null): number | undefined {
  if (!socket || socket.destroyed || 'encrypted' in socket) return undefined;
  const { _handle: handle } = socket as Socket & { _handle?: { fd?: unknown } | null };
  const descriptor = handle?.fd;
  return typeof descriptor === 'number' && descriptor >= 0 ? descriptor : undefined;
}

async function loadLibc(): Promise<Libc | undefined> {
  if (process.platform !== 'linux') return undefined;
  const { default: koffi } = await import('koffi');
  const own = koffi.load(null);
  // The position is told, not kept: the descriptor's own is shared with whoever reads the file.
  const sendfile = own.func('int64_t sendfile(int to, int from, _In_ int64_t *at, size_t length)');
  const fcntl = own.func('int fcntl(int descriptor, int command, ...)');
  const setsockopt = own.func('int setsockopt(int socket, int level, int name, _In_ int *value, unsigned int length)');
  const close = own.func('int close(int descriptor)');
  return {
    sendfile(to, from, at, length) {
      const { promise, resolve, reject } = Promise.withResolvers<number>();
      sendfile.async(to, from, [at], length, (error: unknown, sent: number) => (error ? reject(error) : resolve(sent)));
      return promise;
    },
    duplicate: (descriptor) => fcntl(descriptor, F_DUPFD_CLOEXEC, 'int', 0),
    limitWaiting: (connection) => void setsockopt(connection, IPPROTO_TCP, TCP_NOTSENT_LOWAT, [MOST_WAITING], 4),
    close: (descriptor) => void close(descriptor),
  };
}
