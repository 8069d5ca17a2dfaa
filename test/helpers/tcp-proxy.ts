/** A TCP relay that counts bytes and fails on purpose, as a bad network does. */
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { Transform } from 'node:stream';

/** What to do to the bytes that come back from the target, if nothing else is said. */
export type Trouble =
  | { readonly kind: 'none' }
  /** Connections are closed as soon as they are accepted. */
  | { readonly kind: 'refuse' }
  /**
   * Each connection is reset once this many bytes have come back through it. If they come faster than they are read,
   * the reset also loses what is in the system's buffers, possibly megabytes; `bytesPerSecond` keeps the buffers short.
   */
  | { readonly kind: 'cut'; readonly after: number; readonly bytesPerSecond?: number }
  /** After this many bytes of a connection nothing more passes, although the connection stays open. */
  | { readonly kind: 'stall'; readonly after: number }
  /**
   * Half-open: nothing passes in either direction, and neither side learns that the other has closed. `silence` does this
   * to the connections that are open, and not to others.
   */
  | { readonly kind: 'silent' }
  /**
   * The connection is reset, once, when a client sends a text: before the target gets it, or, if `answer` is given, when
   * the target has answered with that text, of which nothing passes. Afterwards the trouble is `next`.
   */
  | { readonly kind: 'lose'; readonly request: string; readonly answer?: string; readonly next?: Trouble }
  | { readonly kind: 'slow'; readonly bytesPerSecond: number }
  /**
   * A long line: each connection brings so many bytes per second, and an answer takes `rtt` milliseconds longer. `flip`: one
   * bit is wrong, as by the next kind.
   */
  | { readonly kind: 'line'; readonly rtt: number; readonly bytesPerSecond: number; readonly flip?: number }
  /** Flips one bit, once, at this position in all the bytes that have come back since the trouble was set. */
  | { readonly kind: 'flip'; readonly at: number };

export interface TcpProxy {
  /** `http://127.0.0.1:PORT` */
  readonly url: string;
  readonly port: number;
  /** Bytes that have come back from the target over all connections. */
  readonly received: number;
  /** Connections that are open now. */
  readonly connections: number;
  /** The most that were open at one moment since the trouble was set. */
  readonly mostConnections: number;
  /** Applies to the bytes that pass from now on. */
  trouble: Trouble;
  /** Whether the flip happened. */
  readonly flipped: boolean;
  /** Resets all connections that are open now. */
  cutAll(): void;
  /** Makes all connections that are open now half-open, for as long as they last. */
  silence(): void;
  close(): Promise<void>;
}

/** `port` and the target may be set later, because each side of a link has to know the other's address first. */
export async function startTcpProxy(targetPort: number | (() => number), port = 0): Promise<TcpProxy> {
  const sockets = new Set<Socket>();
  const silent = new WeakSet<Socket>();
  let received = 0;
  let sinceTrouble = 0;
  let flipped = false;
  let connections = 0;
  let mostConnections = 0;
  let trouble: Trouble = { kind: 'none' };

  const server = createServer((client) => {
    if (trouble.kind === 'refuse') {
      client.resetAndDestroy();
      return;
    }
    const target = connect(typeof targetPort === 'number' ? targetPort : targetPort(), '127.0.0.1');
    connections += 1;
    mostConnections = Math.max(mostConnections, connections);
    client.once('close', () => {
      connections -= 1;
    });
    const line = new Line();
    let passed = 0;
    let lost: string | undefined;
    const isSilent = () => trouble.kind === 'silent' || silent.has(client);
    const there = new Transform({
      transform(chunk: Buffer, _encoding, done) {
        if (isSilent()) return done();
        if (trouble.kind === 'lose' && chunk.includes(trouble.request)) {
          lost = trouble.answer;
          trouble = trouble.next ?? { kind: 'none' };
          if (lost === undefined) {
            client.resetAndDestroy();
            target.destroy();
            return done();
          }
        }
        done(null, chunk);
      },
    });
    const relay = new Transform({
      transform(chunk: Buffer, _encoding, done) {
        passed += chunk.length;
        received += chunk.length;
        const before = sinceTrouble;
        sinceTrouble += chunk.length;
        if (isSilent()) return done();
        if (lost !== undefined && !chunk.includes(lost)) return done();
        if (lost !== undefined || (trouble.kind === 'cut' && passed > trouble.after)) {
          client.resetAndDestroy();
          target.destroy();
          return;
        }
        if (trouble.kind === 'stall' && passed > trouble.after) return;
        const flip = trouble.kind === 'flip' ? trouble.at : trouble.kind === 'line' ? trouble.flip : undefined;
        if (flip !== undefined && !flipped && sinceTrouble > flip) {
          flipped = true;
          const index = flip - before;
          chunk[index] = (chunk[index] ?? 0) ^ 1;
        }
        if (trouble.kind === 'line') {
          line.send(chunk, trouble, (arrived) => this.push(arrived), done);
          return;
        }
        const speed = 'bytesPerSecond' in trouble ? trouble.bytesPerSecond : undefined;
        if (speed !== undefined) {
          setTimeout(() => done(null, chunk), (chunk.length / speed) * 1000);
          return;
        }
        done(null, chunk);
      },
      flush: (done) => line.drained(done),
    });
    for (const socket of [client, target]) {
      sockets.add(socket);
      socket.on('error', () => {});
      socket.once('close', () => sockets.delete(socket));
    }
    client.once('close', () => {
      if (!isSilent()) target.destroy();
    });
    // After an orderly end, the last bytes are still on their way through the relay.
    target.once('close', (hadError) => {
      if (hadError) client.destroy();
    });
    client.pipe(there, { end: false }).pipe(target);
    client.once('end', () => {
      if (!isSilent()) there.end();
    });
    target.pipe(relay).pipe(client);
  });
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  const bound = (server.address() as AddressInfo).port;
  const destroyAll = (): void => {
    for (const socket of sockets) socket.destroy();
  };
  return {
    url: `http://127.0.0.1:${bound}`,
    port: bound,
    get received() {
      return received;
    },
    get connections() {
      return connections;
    },
    get mostConnections() {
      return mostConnections;
    },
    get flipped() {
      return flipped;
    },
    get trouble() {
      return trouble;
    },
    set trouble(next) {
      trouble = next;
      sinceTrouble = 0;
      flipped = false;
      mostConnections = connections;
    },
    cutAll() {
      for (const socket of sockets) socket.resetAndDestroy();
    },
    silence() {
      for (const socket of sockets) silent.add(socket);
    },
    async close() {
      const closed = once(server, 'close');
      server.close();
      destroyAll();
      await closed;
    },
  };
}

/** What is on its way over a long line. */
class Line {
  /** When the line has taken what was sent so far. */
  #freeAt = 0;
  /** In order: timers that are due at almost the same time may come in another one. */
  readonly #onItsWay: Buffer[] = [];
  #onDrained: (() => void) | undefined;

  /** @param taken the line is free for more @param arrive called later, when the bytes are at the other end */
  send(
    chunk: Buffer,
    { rtt, bytesPerSecond }: { readonly rtt: number; readonly bytesPerSecond: number },
    arrive: (chunk: Buffer) => void,
    taken: () => void,
  ): void {
    const now = performance.now();
    this.#freeAt = Math.max(now, this.#freeAt) + (chunk.length / bytesPerSecond) * 1000;
    const busy = this.#freeAt - now;
    this.#onItsWay.push(chunk);
    setTimeout(taken, busy);
    setTimeout(() => {
      arrive(this.#onItsWay.shift() ?? Buffer.alloc(0));
      if (this.#onItsWay.length === 0) this.#onDrained?.();
    }, busy + rtt);
  }

  /** Calls `done` when nothing is on its way any more. */
  drained(done: () => void): void {
    if (this.#onItsWay.length === 0) done();
    else this.#onDrained = done;
  }
}
