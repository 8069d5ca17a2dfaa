/**
 * A name for this process that no other ever has, and from which others on the same host can tell that it has died. So
 * its work is taken over at once, not only when its leases run out.
 *
 * The name is `PID.START.HOST.UUID`. HOST stands for the boot of the kernel and the namespace of process ids: only
 * within both does PID mean anything. START is when the kernel started the process, so that another one that got its id
 * later is not taken for it. Where the system does not tell these (anything but Linux), the name is `PID.UUID`, and
 * nothing can be told from it.
 */
import { createHash } from 'node:crypto';
import { readFileSync, readlinkSync } from 'node:fs';
import { newUuid } from '../text/uuid.ts';

const HOST_IN_NAME = /^(\d+)\.(\d+)\.([0-9a-f]{16})\./;

interface Life {
  readonly state: string;
  /** In ticks since the boot. */
  readonly start: string;
}

export function newProcessName(): string {
  const life = lifeOf(process.pid);
  const host = thisHost();
  const place = life && host ? `${life.start}.${host}.` : '';
  return `${process.pid}.${place}${newUuid()}`;
}

/** Whether it can be told for sure that the process has died: it is, or was, one of this host since its boot. */
export function isOfThisHost(name: string): boolean {
  const host = HOST_IN_NAME.exec(name)?.[3];
  return host !== undefined && host === thisHost();
}

/** True only if it is certain: the process ran on this host, and is not there any more. */
export function hasDied(name: string): boolean {
  const [, pid = '', start] = HOST_IN_NAME.exec(name) ?? [];
  if (!isOfThisHost(name)) return false;
  if (!isThere(Number(pid))) return true;
  // It may be hidden from this user.
  const life = lifeOf(Number(pid));
  return life !== undefined && (life.start !== start || life.state === 'Z' || life.state === 'X');
}

function isThere(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'ESRCH';
  }
}

function lifeOf(pid: number): Life | undefined {
  try {
    // The name of the program, in parentheses, may hold anything.
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)?.split(' ') ?? [];
    const [state, start] = [fields[0], fields[19]];
    return state !== undefined && start !== undefined && /^\d+$/.test(start) ? { state, start } : undefined;
  } catch {
    return undefined;
  }
}

let known: { readonly host: string | undefined } | undefined;

function thisHost(): string | undefined {
  known ??= { host: askHost() };
  return known.host;
}

function askHost(): string | undefined {
  try {
    const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
    const namespace = readlinkSync('/proc/self/ns/pid');
    // A /proc of another namespace would show other processes under our ids.
    if (readlinkSync('/proc/self') !== String(process.pid)) return undefined;
    return createHash('sha256').update(`${boot} ${namespace}`).digest('hex').slice(0, 16);
  } catch {
    return undefined;
  }
}
