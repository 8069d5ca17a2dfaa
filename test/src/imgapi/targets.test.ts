/** What a request asks for is what its request line says, also where images and signed URLs are concerned. */
import t from 'tap';
import { ALICE } from '../../helpers/accounts.ts';
import { makeImage } from '../../helpers/images.ts';
import { startInProcess } from '../../helpers/imgapi.ts';
import { jsonOf, said, statuses } from '../../helpers/raw-socket.ts';

const server = await startInProcess(t);
const { image } = await makeImage(server.client(), {}, { owner: ALICE, size: 10 });

/** A whole request with these header lines. */
const request = (line: string, ...headers: string[]) =>
  `${[line, ...headers, 'Connection: close'].join('\r\n')}\r\n\r\n`;

t.test('a Host cannot delete an image, and a path with dots neither', async (t) => {
  const { url } = server;
  for (const host of [`x/images/${image.uuid}?`, `x/images/${image.uuid}#`]) {
    t.same(statuses(await said(url, request('DELETE /ping HTTP/1.1', `Host: ${host}`))), [400]);
  }
  t.same(statuses(await said(url, request(`DELETE /ping/../images/${image.uuid} HTTP/1.1`, 'Host: x'))), [404]);
  t.match(await server.client().getImage(image.uuid), { uuid: image.uuid });
});

t.test('a signed URL opens what it was signed for and nothing else', async (t) => {
  const { image: other } = await makeImage(server.client(), {}, { owner: ALICE, size: 11 });
  const pullUrl = async (uuid: string) => {
    const text = await said(server.url, request(`POST /images/${uuid}/file/pull-url HTTP/1.1`, 'Host: x'));
    return new URL((jsonOf(text) as { url: string }).url);
  };
  const [one, two] = [await pullUrl(image.uuid), await pullUrl(other.uuid)];
  const get = (target: string, host: string) => said(server.url, request(`GET ${target} HTTP/1.1`, `Host: ${host}`));
  t.same(statuses(await get(one.pathname + one.search, 'x')), [200]);
  t.same(statuses(await get(`http://x${one.pathname}${one.search}`, 'x')), [200], 'as a proxy would ask for it');
  t.same(statuses(await get(one.pathname + one.search, `x${two.pathname}?`)), [400]);
  const [, , day = ''] = one.pathname.split('/');
  const name = two.pathname.split('/').at(-1);
  t.same(statuses(await get(`${one.pathname}/../../${day}/${name}${one.search}`, 'x')), [404]);
  t.same(statuses(await get(`${two.pathname}#${one.pathname}${one.search}`, 'x')), [400]);
});
