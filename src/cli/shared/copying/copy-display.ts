/** Shows a copy while it runs: as bars on a terminal, as lines elsewhere, as JSON where that is asked for. */
import type { CopyStatus } from '#lib/api/schemas/copy.ts';
import { LiveRegion } from '../../output/live-region.ts';
import type { Output } from '../../output/output.ts';
import { printable } from '../../output/printable.ts';
import { progressBars } from './bars.ts';
import type { CopyEvent } from './follow-copy.ts';
import { beginning, LogLines } from './log-lines.ts';

export interface CopyDisplay {
  show(event: CopyEvent): void;
}

export function copyDisplay(output: Output, json: boolean): CopyDisplay {
  if (json) return jsonDisplay(output);
  return output.terminal ? barDisplay(output) : lineDisplay(output);
}

function jsonDisplay(output: Output): CopyDisplay {
  return display(
    (status) => output.json(status),
    (note) => output.note(note),
  );
}

function lineDisplay(output: Output): CopyDisplay {
  const lines = new LogLines();
  return display(
    (status) => {
      for (const line of lines.next(status, Date.now())) output.note(line);
    },
    (note) => output.note(note),
  );
}

function barDisplay(output: Output): CopyDisplay {
  const region = new LiveRegion(output);
  let isFirst = true;
  return display(
    (status) => {
      if (isFirst) output.note(beginning(status));
      isFirst = false;
      region.draw(progressBars(status, output.terminal ?? { columns: 80, rows: 24 }));
    },
    (note) => region.note(note),
  );
}

function display(status: (status: CopyStatus) => void, note: (text: string) => void): CopyDisplay {
  return {
    show(event) {
      if (event.kind === 'status') status(event.status);
      else if (event.kind === 'lost') note(`lost the connection, trying again: ${printable(event.why)}`);
      else note('reconnected');
    },
  };
}
