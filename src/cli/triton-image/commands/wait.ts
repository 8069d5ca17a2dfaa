/** `triton-image wait`: watches images come, until they are usable. */

import type { CloudapiImage } from '#lib/api/cloudapi/schemas/image.ts';
import { ImgapiError } from '#lib/client/errors.ts';
import { EXIT, type ExitCode } from '../../framework/exit-codes.ts';
import type { Output } from '../../output/output.ts';
import { printable } from '../../output/printable.ts';
import { watchCopy } from '../../shared/copying/order-copy.ts';
import { RECONNECT_OPTION, RECONNECT_SECONDS } from '../../shared/copying/reconnect.ts';
import type { CloudapiClient } from '../cloudapi-client.ts';
import { isComing, isHere, untilHere } from '../coming.ts';
import { defineCommand } from '../define-command.ts';
import { findImage } from '../find-image.ts';
import { imageLabel } from '../image.ts';
import { IMAGE, NAMING_OWN } from '../image-argument.ts';
import type { Session } from '../session.ts';

export const wait = defineCommand({
  name: 'wait',
  summary: 'watch a copy, or the making of an image, until the image is usable',
  description: [
    'Comes back to a copy whose command was interrupted with Ctrl-C: the copy itself went on.',
    `${NAMING_OWN} One that is on its way is preferred to others of that name.`,
  ],
  arguments: { IMAGE: { ...IMAGE, count: 'some' } },
  options: { 'reconnect-for': RECONNECT_OPTION },
  examples: [{ command: 'triton-image -p us-west-1 wait my-image', what: 'until us-west-1 has it' }],
  async run({ options, arguments: { IMAGE: images }, context, output, json, signal }) {
    const { 'reconnect-for': seconds = RECONNECT_SECONDS } = options;
    const client = await context.cloudapi();
    for (const given of images) {
      const image = await findImage(client, given, { whose: 'own', state: 'all', rather: isComing }, signal);
      const waiting = { client, image, session: context, output, json, signal, patience: Number(seconds) * 1000 };
      const exitCode = isHere(image) ? tellHere(waiting, image) : await waitFor(waiting);
      if (exitCode !== EXIT.ok) return exitCode;
    }
    return EXIT.ok;
  },
});

interface Waiting {
  readonly client: CloudapiClient;
  readonly image: CloudapiImage;
  readonly session: Session;
  readonly output: Output;
  readonly json: boolean;
  readonly signal: AbortSignal;
  /** Milliseconds. */
  readonly patience: number;
}

async function waitFor(waiting: Waiting): Promise<ExitCode> {
  const { client, image, session, output, json, signal, patience } = waiting;
  const lines = {
    watchLine: session.commandLine(['wait', image.id]),
    endLine: session.commandLine(['cancel', image.id]),
  };
  try {
    return await watchCopy({ client, uuid: image.id, output, json, signal, ...lines }, patience);
  } catch (error) {
    // It is made here, not copied.
    if (!(error instanceof ImgapiError && error.statusCode === 404)) throw error;
    return tellHere(waiting, await untilHere(client, image, patience, signal));
  }
}

function tellHere({ output, json }: Waiting, image: CloudapiImage): ExitCode {
  if (json) output.json(image);
  else output.line(`Image ${printable(imageLabel(image))} is ${image.state}.`);
  return EXIT.ok;
}
