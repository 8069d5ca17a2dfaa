/**
 * A request may be allowed when it begins and not any more when the rest of its body has come: whose the image is by
 * then decides, on every route that writes to an image and waits for a body.
 */
import { test } from 'tap';
import { ALICE, BOB, CAROL } from '../../helpers/accounts.ts';
import { makeImage } from '../../helpers/images.ts';
import { startInProcess } from '../../helpers/imgapi.ts';
import { converse, jsonOf, statuses } from '../../helpers/raw-socket.ts';
import { recordOf } from '../images/fixture.ts';
import { ICON } from './fixtures/records.ts';

interface Late {
  readonly method: 'POST' | 'PUT';
  readonly path: string;
  readonly type: string;
  readonly body: string;
  readonly activate?: false;
  /** In a server with channels, which only servers outside datacenters have. */
  readonly channels?: true;
}

const JSON_TYPE = 'application/json';

const CHANNELS = [
  { name: 'dev', description: 'for tests', default: true },
  { name: 'release', description: 'for all' },
];

const LATE: Readonly<Record<string, Late>> = {
  'a share': { method: 'POST', path: '/acl?action=add', type: JSON_TYPE, body: JSON.stringify([BOB]) },
  'an unshare': { method: 'POST', path: '/acl?action=remove', type: JSON_TYPE, body: JSON.stringify([CAROL]) },
  'an update': { method: 'POST', path: '?action=update', type: JSON_TYPE, body: '{"description": "not yours"}' },
  'an icon': { method: 'PUT', path: '/icon', type: 'image/png', body: ICON.toString() },
  'a file': {
    ...{ method: 'PUT', path: '/file?compression=none', type: 'application/octet-stream', body: 'other bytes' },
    activate: false,
  },
  'a channel': {
    ...{ method: 'POST', path: '?action=channel-add', type: JSON_TYPE, body: '{"channel": "release"}' },
    channels: true,
  },
};

for (const [name, { method, path, type, body, activate = true, channels }] of Object.entries(LATE)) {
  for (const rest of ['nothing', 'a public image']) {
    test(`${name}, whose body comes late, of an image given away meanwhile; left is ${rest}`, async (t) => {
      const mode = rest === 'nothing' ? 'private' : 'public';
      const server = await startInProcess(t, channels ? { mode, authType: 'none', channels: CHANNELS } : {});
      const bob = server.client({ account: BOB });
      const { image } = await makeImage(bob, { acl: [CAROL], public: rest !== 'nothing' }, { activate });

      const separator = path.includes('?') ? '&' : '?';
      const late = await converse(
        server.url,
        `${method} /images/${image.uuid}${path}${separator}account=${BOB} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n` +
          `Content-Type: ${type}\r\nContent-Length: ${body.length}\r\nExpect: 100-continue\r\n\r\n`,
      );
      // It is told to go on once it was found to be allowed.
      while (!late.text().includes('100 Continue')) await new Promise((resolve) => late.socket.once('data', resolve));
      await bob.updateImage(image.uuid, { owner: ALICE });
      const before = await recordOf(server, image.uuid);
      late.socket.write(body);

      const answer = (await late.ended()).replace(/^HTTP\/1\.1 100.*\r\n\r\n/, '');
      const isSeen = rest !== 'nothing' && activate;
      t.same(statuses(answer), [isSeen ? 422 : 404]);
      t.match(jsonOf(answer), { code: isSeen ? 'NotImageOwner' : 'ResourceNotFound' });
      t.same(await recordOf(server, image.uuid), before, 'the image is as its new owner got it');
    });
  }
}
