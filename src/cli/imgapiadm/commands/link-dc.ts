/** `imgapiadm link-dc`: links this datacenter with another one. */

import type { LinkReport } from '#lib/api/schemas/datacenter.ts';
import { isHttpUrl } from '#lib/network/http-url.ts';
import { usageError } from '../../framework/errors.ts';
import { EXIT } from '../../framework/exit-codes.ts';
import type { Output } from '../../output/output.ts';
import { printable } from '../../output/printable.ts';
import { defineCommand } from '../connection/define-command.ts';
import { REMOTE_PATIENCE } from '../connection/patience.ts';
import { checkTable } from '../datacenters/checks.ts';
import { LINK_TERMS, termsBody } from '../datacenters/terms.ts';

export const linkDc = defineCommand({
  name: 'link-dc',
  summary: 'link this datacenter with another one, so that images can be copied',
  description: [
    'One command links both sides: each learns the key of the other. It then checks reach, clocks, versions and keys both ways, and prints the firewall rules (for fwadm) and the SAPI metadata that belong to the link. Repeating it changes nothing.',
    'The exit status is 1 when the datacenters are linked but a check fails; the output says what to mend.',
  ],
  arguments: {
    NAME: { help: 'The other datacenter, as it calls itself.' },
    URL: {
      help: 'Its link listener, as link-token names it.',
      check: (value) => (isHttpUrl(value) ? undefined : 'an http or https URL'),
    },
  },
  options: {
    token: { type: 'value', value: 'TOKEN', help: 'From link-token in the other datacenter. Required.' },
    ...LINK_TERMS,
    check: { type: 'flag', help: 'Also move a megabyte each way.' },
  },
  examples: [
    {
      command: 'imgapiadm link-dc us-west-1 https://10.1.0.7:8443 --token imgapi-link-v1.… --check',
      what: 'in us-sw-1, with the token that link-token printed in us-west-1',
    },
  ],
  async run({ options, arguments: { NAME: name, URL: url }, context, output, json, signal }) {
    const { token, check } = options;
    if (token === undefined) throw usageError('missing --token TOKEN: run link-token in the other datacenter');
    const operator = await context.operator(REMOTE_PATIENCE);
    const linked = await operator.linkDatacenter({ name, url, token, ...termsBody(options) }, { signal });
    const checked = check ? await operator.checkDatacenter(name, { signal }) : linked;
    const report = { ...linked, ok: checked.ok, checks: checked.checks };
    if (json) output.json(report);
    else tell(output, report);
    return report.ok ? EXIT.ok : EXIT.failed;
  },
});

function tell(output: Output, report: LinkReport): void {
  const name = printable(report.datacenter);
  const known = report.changed ? 'its terms are now those given' : 'nothing was changed';
  output.line(report.created ? `Linked with ${name}.` : `Already linked with ${name}; ${known}.`);
  output.line(`    our key         ${printable(report.our_key)}`);
  output.line(`    their keys      ${listed(report.their_keys, 'none')}`);
  output.line(`    pull URLs from  ${listed(report.pull_origins, 'nowhere: files come through its link listener')}`);
  output.line(
    `    it may read     ${report.allowed_accounts ? `images of ${listed(report.allowed_accounts, 'nobody')}` : 'images of all accounts'}`,
  );
  if (report.announced_pull_origins?.length) {
    const origins = listed(report.announced_pull_origins, '');
    output.line(
      `It also announces pull URLs from ${origins}; to accept them, repeat this with --pull-origin ORIGIN,...`,
    );
  }
  output.line();
  checkTable()(output, report);
  output.line();
  if (report.firewall_rules.length > 0) {
    output.line('Firewall rules, for fwadm add:');
    for (const rule of report.firewall_rules) output.json(rule);
    output.line();
  }
  output.line('SAPI metadata, for sapiadm update:');
  output.json(report.sapi_metadata);
}

function listed(items: readonly string[], none: string): string {
  return items.length === 0 ? none : items.map(printable).join(', ');
}
