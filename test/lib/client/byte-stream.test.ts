/** What bodies hold for readers that are slow. */
import { once } from 'node:events';
import { Readable } from 'node:stream';
import { test } from 'tap';
import { ByteStream } from '#lib/client/byte-stream.ts';
import { waitFor } from '../../helpers/wait.ts';

test('one of many bodies has less ready for its reader, and as much as ever when they are gone', async (t) => {
  const open = () => {
    const source = Readable.from(Array.from({ length: 20 }, () => Buffer.alloc(1000)));
    return new ByteStream(source, { url: 'http://nobody', idleTimeout: 0 });
  };
  const ready = async (stream: ByteStream): Promise<number> => {
    stream.read(0);
    await waitFor('it to have begun', () => stream.readableLength > 0);
    for (let before = 0; stream.readableLength > before; ) {
      before = stream.readableLength;
      await new Promise((resolve) => setImmediate(resolve));
    }
    return stream.readableLength;
  };
  const [first, ...others] = Array.from({ length: 30 }, open);
  const last = others.at(-1);
  if (!first || !last) throw new Error('there are thirty');
  t.equal(await ready(first), 4);
  t.equal(await ready(last), 1);
  let length = 0;
  for await (const chunk of last as AsyncIterable<Buffer>) length += chunk.length;
  t.equal(length, 20_000, 'all of it comes');
  for (const stream of [first, ...others.slice(0, -1)]) {
    stream.destroy();
    await once(stream, 'close');
  }
  const alone = open();
  t.equal(await ready(alone), 4);
  alone.destroy();
});
