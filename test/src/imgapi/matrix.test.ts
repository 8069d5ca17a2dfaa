/**
 * Where each line of the conformance matrix of today's IMGAPI is tested: the file, and what its tests are called. This test
 * only tells whether they are still there.
 */
import { readFileSync } from 'node:fs';
import { test } from 'tap';

type Where = Readonly<Record<string, readonly string[]>>;

const MATRIX: Readonly<Record<string, Where>> = {
  'modes: what is public, what lists show, admin fields, GET of what is not activated': {
    'modes.test.ts': [
      'a public server has public images only',
      'what lists show to those who do not sign, by mode and state',
      'admin fields are for whoever is in the datacenter',
      'where nobody signs, the network is the guard',
    ],
    'visibility-anonymous.test.ts': ['mode a caller without a signature reads what is active'],
    'anonymous-origins.test.ts': ['what an active image builds on is there by UUID'],
  },
  'versions and channels': {
    'versions.test.ts': ['each Accept-Version gets its view: channels from 2 on', 'is 400 InvalidVersion'],
    'compatibility/equal.ts': ["shows: { channels: ['dev'] }"],
  },
  'who sees what': {
    'visibility.test.ts': ['every caller reads exactly the images it may see', 'lists show every caller exactly'],
    'visibility-acl.test.ts': ['owner and operators see the whole list'],
  },
  'which of two mistakes is answered': {
    'precedence.test.ts': ['of two mistakes the first in order is answered'],
    'list-parameters.test.ts': ['of two bad parameters the first in order is named'],
    '../images/create-image.test.ts': ['is looked at` : '],
    '../images/import.test.ts': ['is looked at` : '],
    '../images/files/files.test.ts': ['the checks of an upload come in their order'],
    '../images/files/files-from-elsewhere.test.ts': ['the checks of a fetch from a URL come in their order'],
    '../copies/http.test.ts': ['the checks of import-from-datacenter come in the order that clients know'],
  },
  'the rule of each field, at its bounds': {
    '../../lib/manifest/validate-rules.test.ts': ['takes what is right and refuses the rest'],
    '../../lib/manifest/validate.test.ts': ['all problems are collected'],
  },
  'manifests of version 1': {
    '../../lib/manifest/upgrade.test.ts': ['of a version 1 manifest'],
    '../images/import.test.ts': ['manifests of version 1 are upgraded'],
  },
  'tags and conditions': {
    'conditional.test.ts': [
      'reads answer 304 to their own tag',
      'update, enable and disable take If-Match',
      'whatever writes to an image looks at its condition',
    ],
    'visibility-acl.test.ts': ['the tag is stable'],
    'races.test.ts': ['every operation that writes to an image is in the table'],
  },
  files: {
    '../images/files/files.test.ts': [
      'may be the limit',
      'may not be one byte more',
      'is not nothing',
      'a connection that is cut leaves nothing behind',
      'bytes that are not what was announced are refused',
      'before activation a file is replaced',
      'after activation a file is fixed',
      'an image that is activated while its second file is on the way',
      'an image that is deleted while its file is on the way',
      'the file is read by its index',
    ],
  },
  channels: {
    'channels.test.ts': [
      'a read is restricted to the channel it names, to the default one, or with * to none',
      'an unknown channel is refused on every route, and * on those that write',
      'channel-add adds one channel, once',
      'a deletion takes the image out of the channel, and away with the last one or by force',
      'only what builds on an image in the same channel keeps it there',
    ],
  },
  import: {
    '../images/import.test.ts': [
      'an image is imported with the UUID, date and urn that it has',
      'a UUID is imported once',
      'an import writes over a placeholder that is being created',
      'whose an imported image is',
      'the origin has to be here, and activated',
    ],
  },
  'from another datacenter': {
    '../copies/http.test.ts': ['the checks of import-from-datacenter come in the order that clients know'],
    '../copies/orders/chain.test.ts': [
      'all of the account that is missing comes, base first',
      'the chain ends at the first origin that is usable here',
      "somebody else's origin has to be here already",
      'a chain of a hundred images is carried',
    ],
    '../copies/cells.test.ts': ['local record '],
  },
  clones: {
    '../images/cloning/clone.test.ts': ['what cannot be cloned', 'a clone that fails at its last image leaves nothing'],
    '../images/cloning/clone-chain.test.ts': ['an origin that the account has cloned already is used again'],
  },
  pages: {
    'list-paging.test.ts': [
      '5,000 images of one moment come exactly once through links, in both orders',
      '5,000 images of one moment come exactly once through the markers',
      'whatever is added meanwhile',
    ],
    'list-parameters.test.ts': ['a marker that is not there'],
  },
  'whatever is sent, the process stays': {
    'compatibility/differences.ts': ['CREATE', 'OTHER_MODES'],
    'bad-input.test.ts': ['is answered, whatever is sent'],
    'fuzz.test.ts': ['whatever comes is answered or cut'],
    'any-request.test.ts': ['whatever is asked of whichever operation is answered'],
    'robustness.test.ts': ['the processes that have answered all of this are those that were started'],
  },
  'faults of stores, and crashes': {
    'stores-down.test.ts': ['a document store that is down', 'an object store that is down'],
    '../../faults/upload-dies.test.ts': ['uploadDies'],
    '../../faults/delete-dies.test.ts': ['A deletion that was begun is finished after a crash'],
    '../../faults/rename-dies.test.ts': ['has one of both'],
    '../../faults/full-disk.test.ts': ['An upload that does not fit'],
  },
};

test('every line of the matrix is tested where it is said to be', async (t) => {
  for (const [line, files] of Object.entries(MATRIX)) {
    for (const [file, names] of Object.entries(files)) {
      const text = readFileSync(new URL(file, import.meta.url), 'utf8');
      for (const name of names) t.ok(text.includes(name), `${line}: ${file} has "${name}"`);
    }
  }
});
