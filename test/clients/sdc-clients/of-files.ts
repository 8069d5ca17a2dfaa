/** What the client does with the bytes of images. */
import { readFile } from 'node:fs/promises';
import { sha1Of } from '../../helpers/images.ts';
import { fakeTlsSource, bytes as sendBytes } from '../../src/images/fake-source.ts';
import { refusalOf } from './client.ts';
import { bytesOf, type Given, type MethodTests, textOf } from './given.ts';

type Stream = AsyncIterable<Uint8Array>;

const FILE = Buffer.from('what every file holds');
const ICON = Buffer.from('no picture at all');

async function active(given: Given): Promise<string> {
  const { path } = await given.file(FILE);
  const uuid = await given.unactivated();
  await given.served.call('addImageFile', { uuid, file: path, compression: 'none' });
  await given.served.call('activateImage', uuid);
  return uuid;
}

async function withIcon(given: Given): Promise<string> {
  const uuid = await active(given);
  const { path } = await given.file(ICON);
  await given.served.call('addImageIcon', { uuid, file: path, contentType: 'image/png' });
  return uuid;
}

export const OF_FILES: MethodTests = {
  addImageFile: {
    args: async (given) => {
      const { path, sha1 } = await given.file(FILE);
      return [{ uuid: await given.unactivated(), file: path, compression: 'none', sha1 }, ...given.account];
    },
    check: (t, answer) => t.match(answer['files'], [{ sha1: sha1Of(FILE), size: FILE.length, compression: 'none' }]),
  },

  addImageFileFromUrl: {
    args: async (given) => {
      const source = await fakeTlsSource(given.test, { '/file.gz': sendBytes(FILE) });
      return [{ uuid: await given.unactivated(), file_url: `${source.url}/file.gz` }];
    },
    check: (t, answer) => t.match(answer['files'], [{ sha1: sha1Of(FILE), size: FILE.length, compression: 'gzip' }]),
  },

  getImageFile: {
    args: async (given) => [await active(given), given.path(), ...given.account],
    isOpen: true,
    check: async (t, _answer, args) => t.same(await readFile(textOf(args, 1)), FILE),
  },

  getImageFileStream: {
    args: async (given) => [await active(given), ...given.account],
    isOpen: true,
    check: async (t, answer) => t.same(await bytesOf(answer as unknown as Stream), FILE),
  },

  addImageIcon: {
    args: async (given) => {
      const { path, sha1 } = await given.file(ICON);
      return [{ uuid: await active(given), file: path, contentType: 'image/png', sha1 }, ...given.account];
    },
    check: (t, answer) => t.match(answer, { icon: true }),
  },

  getImageIcon: {
    args: async (given) => [await withIcon(given), given.path(), ...given.account],
    isOpen: true,
    check: async (t, _answer, args) => t.same(await readFile(textOf(args, 1)), ICON),
  },

  getImageIconStream: {
    args: async (given) => [await withIcon(given), ...given.account],
    isOpen: true,
    check: async (t, answer) => t.same(await bytesOf(answer as unknown as Stream), ICON),
  },

  deleteImageIcon: {
    args: async (given) => [await withIcon(given), ...given.account],
    check: async (t, answer, args, { served, path }) => {
      t.equal(answer['icon'], undefined);
      t.match(await refusalOf(served.call('getImageIcon', args[0], path())), { code: 'ResourceNotFound' });
    },
  },

  // There is one store here; the tests of moving have two.
  adminChangeStor: {
    args: async (given) => [{ uuid: await active(given), stor: 'local' }],
    check: (t, answer) => t.match(answer, { state: 'active' }),
  },

  // Export needs Manta; the tests of what Triton's template renders have it.
  exportImage: {
    args: async (given) => [await active(given), ...given.account, { manta_path: '/alice/stor/here' }],
    refusal: () => ({ status: 503, code: 'StorageUnsupported' }),
    check: (t) => t.fail('there is no Manta'),
  },
};
