/** `imgapiadm console-login`: an address at which a browser is logged in at the console, once. */

import { printable } from '../../output/printable.ts';
import { defineCommand } from '../connection/define-command.ts';
import { SHORT_PATIENCE } from '../connection/patience.ts';

export const consoleLogin = defineCommand({
  name: 'console-login',
  summary: 'make an address at which a browser is logged in at the console',
  description: [
    'The address works once, for five minutes, and logs the browser in for eight hours. Standard output holds it alone. What it logs in may read whatever operators may; with console.write in the configuration it may change things as well.',
  ],
  arguments: {},
  options: {},
  examples: [{ command: 'imgapiadm console-login', what: 'open what it prints in a browser' }],
  async run({ context, output, json, signal }) {
    const operator = await context.operator(SHORT_PATIENCE);
    const { token, expires, url = await context.url() } = await operator.createConsoleLogin({ signal });
    const address = `${url.replace(/\/$/, '')}/console/#/login/${token}`;
    if (json) {
      output.json({ url: address, expires });
      return undefined;
    }
    output.line(printable(address));
    output.note(`It works once, until ${printable(expires)}.`);
    return undefined;
  },
});
