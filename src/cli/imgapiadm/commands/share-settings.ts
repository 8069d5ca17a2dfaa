/** `imgapiadm share-settings`: whether shares of others have to be accepted by an account, and whose need not. */
import { changeOf, SHARE_SETTINGS_OPTIONS, tellSettings } from '../../shared/share-settings.ts';
import { defineCommand } from '../connection/define-command.ts';

export const shareSettings = defineCommand({
  name: 'share-settings',
  summary: 'show or change whether an account is asked before others share with it',
  description: [
    'With --acceptance offers, what others share with the account is in none of its lists until it accepts it, what they shared before included. What holds for accounts without a setting of their own is `shares.acceptance` of the configuration.',
  ],
  arguments: { ACCOUNT: { help: 'Login or UUID of the account.' } },
  options: SHARE_SETTINGS_OPTIONS,
  examples: [
    { command: 'imgapiadm share-settings alice', what: 'show them' },
    {
      command: 'imgapiadm share-settings alice --acceptance default',
      what: 'have the configuration hold for her again',
    },
  ],
  async run({ options, arguments: { ACCOUNT: account }, context, output, json, signal }) {
    const client = await context.client();
    const uuid = await context.uuidOf(account);
    const read = () => client.getShareSettings(uuid, { signal });
    const change = await changeOf(options, read);
    const settings = change ? await client.changeShareSettings(uuid, change, { signal }) : await read();
    if (json) output.json(settings);
    else tellSettings(output, settings);
    return undefined;
  },
});
