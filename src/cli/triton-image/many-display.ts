/** Copies of an image to several datacenters, or of several images, one line each. */

import { isFinal } from '#lib/api/copy-states.ts';
import type { CopyStatus } from '#lib/api/schemas/copy.ts';
import type { Failure } from '../framework/errors.ts';
import { LiveRegion } from '../output/live-region.ts';
import type { Output, TerminalSize } from '../output/output.ts';
import { printable } from '../output/printable.ts';
import { barLine } from '../shared/copying/bars.ts';
import type { CopyEvent } from '../shared/copying/follow-copy.ts';
import { LogLines } from '../shared/copying/log-lines.ts';

export interface ManyDisplay {
  show(name: string, event: CopyEvent): void;
  fail(name: string, failure: Failure): void;
}

/**
 * @param names of the datacenters or images, in their order
 * @param key under which JSON has the name
 */
export function manyDisplay(
  output: Output,
  json: boolean,
  names: readonly string[],
  key: 'to' | 'image' = 'to',
): ManyDisplay {
  if (json) return jsonDisplay(output, key);
  return output.terminal ? barDisplay(output, names) : lineDisplay(output);
}

/** A line for each change. */
function jsonDisplay(output: Output, key: string): ManyDisplay {
  const ended = new Set<string>();
  return {
    show(name, event) {
      if (event.kind !== 'status') return output.note(`${printable(name)}: ${wordsOf(event)}`);
      if (isFinal(event.status.state)) ended.add(name);
      output.json({ [key]: name, ...event.status });
    },
    fail(name, { code, message }) {
      // A copy that the server ended says so itself.
      if (!ended.has(name)) output.json({ [key]: name, state: 'failed', error: { code, message } });
    },
  };
}

function lineDisplay(output: Output): ManyDisplay {
  const lines = new Map<string, LogLines>();
  const tell = (name: string, text: string): void => output.note(`${printable(name)}: ${text}`);
  return {
    show(name, event) {
      if (event.kind !== 'status') return tell(name, wordsOf(event));
      const log = lines.get(name) ?? new LogLines();
      lines.set(name, log);
      for (const line of log.next(event.status, Date.now())) tell(name, line);
    },
    fail: (name, failure) => tell(name, failureWords(failure)),
  };
}

function barDisplay(output: Output, names: readonly string[]): ManyDisplay {
  const region = new LiveRegion(output);
  const parts = new Map<string, CopyStatus | string>(names.map((name) => [name, 'ordering']));
  const labels = names.map(printable);
  const put = (name: string, part: CopyStatus | string): void => {
    parts.set(name, part);
    const { columns, rows }: TerminalSize = output.terminal ?? { columns: 80, rows: 24 };
    const line = barLine(labels, columns);
    const lines = names.map((each) => line(printable(each), parts.get(each) ?? ''));
    const room = Math.max(1, rows - 2);
    region.draw(lines.length <= room ? lines : [...lines.slice(0, room - 1), `and ${lines.length - room + 1} more`]);
  };
  return {
    show(name, event) {
      if (event.kind === 'status') put(name, event.status);
      else if (event.kind === 'lost') put(name, wordsOf(event));
    },
    fail: (name, failure) => put(name, failureWords(failure)),
  };
}

function wordsOf(event: Exclude<CopyEvent, { readonly kind: 'status' }>): string {
  return event.kind === 'lost' ? `lost the connection, trying again: ${printable(event.why)}` : 'reconnected';
}

function failureWords({ code, message }: Failure): string {
  return `failed: ${printable(`(${code}) ${message}`)}`;
}
