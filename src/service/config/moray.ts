/** The section `moray`: where Moray is, with the keys of today's IMGAPI. */
import { problem } from './schema.ts';

export interface MorayConfig {
  readonly host: string;
  readonly port: number;
  /** To each of the processes; several, because one that is silently dead is found only by a call. */
  readonly maxConnections: number;
  /** How long a call may take. */
  readonly timeoutSeconds: number;
  /** How long Moray is waited for when the service starts. */
  readonly startSeconds: number;
}

interface WithMoray {
  readonly databaseType: string;
  readonly moray?: MorayConfig;
}

const HIGHEST_PORT = 65_535;

/** What the schema cannot say of it. */
export function morayRules({ databaseType, moray }: WithMoray): string[] {
  if (databaseType !== 'moray') return [];
  if (moray === undefined) return ['moray: missing; databaseType names it'];
  const { host, port } = moray;
  const problems: string[] = [];
  if (host === 'localhost') {
    problems.push(problem('moray.host', host, 'an IP address or a name in DNS: the client does not read /etc/hosts'));
  }
  if (port < 1 || port > HIGHEST_PORT) problems.push(problem('moray.port', port, 'a number from 1 to 65535'));
  return problems;
}

export function notesOnMoray({ databaseType, moray }: WithMoray): string[] {
  return moray && databaseType !== 'moray' ? ['moray: not used, because databaseType does not name it'] : [];
}
