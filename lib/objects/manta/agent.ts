import { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';

export interface AgentOptions {
  readonly url: URL;
  /** Accepts certificates that no known authority has signed. */
  readonly insecure: boolean;
  /** PEM text; undefined: those that Node.js knows. */
  readonly ca: string | undefined;
  /** Connections at once. */
  readonly maxSockets: number;
  /** Milliseconds that a connection may be unused; less than Manta's own limit. */
  readonly idle: number;
}

/** Connections to one Manta, kept for the next request. */
export function mantaAgent({ url, insecure, ca, maxSockets, idle }: AgentOptions): HttpAgent {
  const common = { keepAlive: true, maxSockets, timeout: idle, scheduling: 'lifo' } as const;
  return url.protocol === 'https:'
    ? new HttpsAgent({ ...common, rejectUnauthorized: !insecure, ...(ca !== undefined && { ca }) })
    : new HttpAgent(common);
}
