/** `imgapiadm scrub`: has the datacenter read all stored files again, and shows how far it is. */
import type { ScrubStatus } from '#lib/api/schemas/maintenance.ts';
import { formatBytes } from '../../output/bytes.ts';
import { defineCommand } from '../connection/define-command.ts';
import { SHORT_PATIENCE } from '../connection/patience.ts';

export const scrub = defineCommand({
  name: 'scrub',
  summary: 'have the datacenter read all stored files again, in the background',
  description: [
    'The pass begins within seconds and goes on at scrub.bytesPerSecond, whichever processes come and go. One that is under way is left alone. What it finds is listed by imgapiadm verify --findings.',
  ],
  arguments: {},
  options: {
    status: { type: 'flag', help: 'Begin nothing; only show the pass under way, the last one and the next.' },
  },
  examples: [
    { command: 'imgapiadm scrub', what: 'begin one now' },
    { command: 'imgapiadm scrub --status', what: 'how far it is' },
  ],
  async run({ options: { status }, context, output, json, signal }) {
    const found = status
      ? ((await (await context.client()).adminGetState({ signal })).scrub ?? { findings: 0 })
      : await (await context.operator(SHORT_PATIENCE)).adminScrub({ signal });
    if (json) output.json(found);
    else for (const line of linesOf(found)) output.line(line);
    return undefined;
  },
});

function linesOf({ pass, last, next_at: next, findings }: ScrubStatus): string[] {
  return [
    ...(pass ? [`running since ${pass.began_at}: ${countsOf(pass)}`] : []),
    ...(last ? [`last pass ended ${last.ended_at}: ${countsOf(last)}`] : []),
    ...(next === undefined ? [] : [`next pass: ${next}`]),
    `${findings} damaged`,
  ];
}

function countsOf({ files, bytes, bad, skipped }: NonNullable<ScrubStatus['pass']>): string {
  return `${files} files, ${formatBytes(bytes)}, ${bad} damaged, ${skipped} skipped`;
}
