/** What the client does with the records of images. */
import { ALICE, BOB, CAROL } from '../../helpers/accounts.ts';
import { refusalOf } from './client.ts';
import { type MethodTests, textOf } from './given.ts';

export const OF_IMAGES: MethodTests = {
  listImages: {
    args: async (given) => {
      await given.active();
      return [{ name: 'my-image', state: 'active' }];
    },
    isOpen: true,
    check: (t, answer, _args, { served }) => {
      const images = answer as unknown as readonly object[];
      t.not(images.length, 0);
      for (const image of images) t.match(image, { name: 'my-image', state: 'active', ...served.visibility });
    },
  },

  getImage: {
    args: async (given) => [(await given.active()).uuid, ...given.account],
    isOpen: true,
    check: (t, answer, args) => t.match(answer, { v: 2, uuid: textOf(args), state: 'active', owner: ALICE }),
  },

  createImage: {
    args: (given) => [given.manifest(), ...given.account],
    check: (t, answer, _args, { served }) =>
      t.match(answer, {
        ...{ v: 2, owner: ALICE, state: 'unactivated', disabled: false, files: [], ...served.visibility },
        ...(served.mode !== 'dc' && { channels: ['dev'] }),
      }),
  },

  activateImage: {
    args: async (given) => [(await given.withFile()).uuid, ...given.account],
    check: (t, answer) => t.match(answer, { state: 'active', published_at: String }),
  },

  disableImage: {
    args: async (given) => [(await given.active()).uuid, ...given.account],
    check: (t, answer) => t.match(answer, { state: 'disabled', disabled: true }),
  },

  enableImage: {
    args: async (given) => {
      const { uuid } = await given.active();
      await given.served.call('disableImage', uuid);
      return [uuid, ...given.account];
    },
    check: (t, answer) => t.match(answer, { state: 'active', disabled: false }),
  },

  updateImage: {
    args: async (given) => [(await given.active()).uuid, { description: 'changed', tags: { a: 1 } }, ...given.account],
    check: (t, answer) => t.match(answer, { description: 'changed', tags: { a: 1 } }),
  },

  addImageAcl: {
    args: async (given) => [(await given.active()).uuid, [BOB, CAROL], ...given.account],
    check: (t, answer) => t.same(answer['acl'], [BOB, CAROL]),
  },

  removeImageAcl: {
    args: async (given) => {
      const { uuid } = await given.active();
      await given.served.call('addImageAcl', uuid, [BOB, CAROL]);
      return [uuid, [BOB], ...given.account];
    },
    check: (t, answer) => t.same(answer['acl'], [CAROL]),
  },

  channelAddImage: {
    args: async (given) => [{ uuid: (await given.active()).uuid, channel: 'release' }],
    refusal: ({ served }) => (served.mode === 'dc' ? { status: 422, code: 'InvalidParameter' } : undefined),
    check: (t, answer) => t.same(answer['channels'], ['dev', 'release']),
  },

  cloneImage: {
    args: async (given) => {
      const { uuid } = await given.active();
      await given.served.call('addImageAcl', uuid, [BOB]);
      return [uuid, BOB];
    },
    isAbsent: ({ served }) => served.mode !== 'dc',
    check: (t, answer) => t.match(answer, { owner: BOB, state: 'active', name: 'my-image' }),
  },

  deleteImage: {
    args: async (given) => [(await given.active()).uuid, ...given.account],
    check: async (t, answer, args, { served }) => {
      t.match(answer, { statusCode: 204 });
      t.match(await refusalOf(served.call('getImage', args[0])), { status: 404, code: 'ResourceNotFound' });
    },
  },
};
