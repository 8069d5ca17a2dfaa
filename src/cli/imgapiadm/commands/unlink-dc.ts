/** `imgapiadm unlink-dc`: ends the link with another datacenter. */

import { formatBytes } from '../../output/bytes.ts';
import { printable } from '../../output/printable.ts';
import { defineCommand } from '../connection/define-command.ts';
import { REMOTE_PATIENCE } from '../connection/patience.ts';

export const unlinkDc = defineCommand({
  name: 'unlink-dc',
  summary: 'end the link with another datacenter',
  description: [
    'This side ends its trust immediately, and removes the pull links of the other datacenter. The other side is told; if it cannot be reached, unlink there as well.',
  ],
  arguments: { NAME: { help: 'The other datacenter.' } },
  options: {},
  examples: [{ command: 'imgapiadm unlink-dc us-west-1', what: 'no more copies from or to us-west-1' }],
  async run({ arguments: { NAME: name }, context, output, json, signal }) {
    const operator = await context.operator(REMOTE_PATIENCE);
    const report = await operator.unlinkDatacenter(name, { signal });
    if (json) {
      output.json(report);
      return undefined;
    }
    const { links, bytes } = report.pulls;
    const pulls = links > 0 ? ` Pull links removed: ${links} (${formatBytes(bytes)}).` : '';
    output.line(`Unlinked from ${printable(report.datacenter)}.${pulls}`);
    if (!report.told) {
      output.note(`It could not be told (${printable(report.error ?? 'no reason given')}): unlink there as well.`);
    }
    return undefined;
  },
});
