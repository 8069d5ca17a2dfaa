/** `triton-image share-settings`: whether shares of others have to be accepted, and whose need not. */
import { changeOf, SHARE_SETTINGS_OPTIONS, tellSettings } from '../../shared/share-settings.ts';
import { defineCommand } from '../define-command.ts';

export const shareSettings = defineCommand({
  name: 'share-settings',
  summary: 'show or change whether you are asked before others share with you',
  description: [
    'With --acceptance offers, what others share with you is in none of your lists until you accept it, what they shared before included; see triton-image ls --offered. By its UUID it can be used all the same. These settings are those of one datacenter.',
  ],
  arguments: {},
  options: SHARE_SETTINGS_OPTIONS,
  examples: [
    {
      command: 'triton-image share-settings --acceptance offers --trust alice',
      what: 'be asked, but for what alice shares',
    },
    { command: 'triton-image share-settings', what: 'show them' },
  ],
  async run({ options, context, output, json, signal }) {
    const client = await context.cloudapi();
    const read = () => client.shareSettings({ signal });
    const change = await changeOf(options, read);
    const settings = change ? await client.changeShareSettings(change, { signal }) : await read();
    if (json) output.json(settings);
    else tellSettings(output, settings);
    return undefined;
  },
});
