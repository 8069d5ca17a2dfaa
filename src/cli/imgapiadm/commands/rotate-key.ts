/** `imgapiadm rotate-key`: gives this datacenter a new link key. */

import type { RotateReport } from '#lib/api/schemas/datacenter.ts';
import { EXIT } from '../../framework/exit-codes.ts';
import type { Output } from '../../output/output.ts';
import { printable } from '../../output/printable.ts';
import { defineCommand } from '../connection/define-command.ts';
import { REMOTE_PATIENCE } from '../connection/patience.ts';

export const rotateKey = defineCommand({
  name: 'rotate-key',
  summary: 'replace the key with which this datacenter signs its requests to others',
  description: [
    'The new key is announced to every linked datacenter, signed with the old one. The old one is forgotten once all have the new one. When one cannot be told, the exit status is 1, both keys stay in use, and repeating the command goes on where it stopped.',
  ],
  arguments: {},
  options: {
    drop: {
      type: 'flag',
      help: 'Forget the old key immediately, because it fell into the wrong hands. A datacenter that could not be told must be linked again.',
    },
  },
  examples: [
    { command: 'imgapiadm rotate-key', what: 'the yearly change of keys' },
    { command: 'imgapiadm rotate-key --drop', what: 'the key was stolen' },
  ],
  async run({ options: { drop }, context, output, json, signal }) {
    const operator = await context.operator(REMOTE_PATIENCE);
    const report = await operator.rotateLinkKey({ ...(drop && { drop }), signal });
    if (json) output.json(report);
    else tell(output, report);
    return report.failed.length === 0 ? EXIT.ok : EXIT.failed;
  },
});

function tell(output: Output, { new_key: key, dropped, announced, failed }: RotateReport): void {
  output.line(`New key: ${printable(key)}`);
  output.line(`Announced to: ${announced.length === 0 ? 'nobody' : announced.map(printable).join(', ')}`);
  for (const { datacenter, error } of failed) {
    output.line(`Not announced to ${printable(datacenter)}: ${printable(error)}`);
  }
  if (dropped.length > 0) output.line(`Out of use: ${dropped.map(printable).join(', ')}`);
  else if (failed.length > 0) output.line('The old key stays in use until all have the new one; run this again.');
}
