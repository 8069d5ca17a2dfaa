/** A server is killed beside what it has to tell a webhook: the message comes all the same, and tells by its ID if it comes again. */
import { test } from 'tap';
import { startCloud } from '../helpers/cloud.ts';
import { makeImage } from '../helpers/images.ts';
import { startReceiver, writeSecret } from '../helpers/webhooks.ts';

for (const { point, when } of [
  { point: 'copy:committed', when: 'the order has just ended' },
  { point: 'webhook:sent', when: 'the message was taken, and that is not noted yet' },
]) {
  test(`A webhook is told though the process dies when ${when}`, async (t) => {
    const receiver = await startReceiver(t);
    const webhooks = [{ name: 'tickets', url: receiver.url, secretFile: await writeSecret(t) }];
    const { east, west } = await startCloud(t, { west: { webhooks } });
    const { image } = await makeImage(east.alice);
    await west.restart({ fault: `${point}=kill` });
    await west.order(image.uuid, east.name).catch((error: unknown) => error);
    await west.diesByItself();
    const before = receiver.received.length;
    t.equal(before, point === 'webhook:sent' ? 1 : 0);
    await west.start();
    const { order } = await west.ended(image.uuid);
    const messages = (await receiver.got(before + 1)).map(({ message }) => message);
    for (const message of messages) t.match(message, { event: 'copy-done', order, image: image.uuid });
    t.equal(new Set(messages.map(({ id }) => id)).size, 1, 'the receiver can tell that it is the same');
  });
}
