import { test } from 'tap';
import { readFilters } from '#src/cli/images/filters.ts';
import { imageFlags } from '#src/cli/images/flags.ts';
import { ALICE, BASE, BOB, image } from '../fixtures.ts';

const FLAGS: readonly [string, Parameters<typeof image>[0], string | undefined, string][] = [
  ['a plain image', {}, ALICE, ''],
  ['a public image', { public: true }, BOB, 'P'],
  ['an image with an origin', { origin: BASE }, ALICE, 'I'],
  ['an image that is not active', { state: 'copying' }, ALICE, 'X'],
  ['a shared image, to its owner', { acl: ['bob'] }, ALICE, '+'],
  ['a shared image, to the operator', { acl: [BOB] }, undefined, '+'],
  ['a shared image, to whom it is shared', { acl: [BOB] }, BOB, 'S'],
  ['an image shared by login', { acl: [], shared_as: ['bob'] }, BOB, 'S'],
  ['an image shared with somebody else', { acl: [ALICE] }, BOB, ''],
  ['an image that is all of it', { public: true, acl: ['bob'], origin: BASE, state: 'disabled' }, ALICE, 'P+IX'],
];

for (const [what, fields, account, flags] of FLAGS) {
  test(`the flags of ${what} are "${flags}"`, async (t) => {
    t.equal(imageFlags(image(fields), account), flags);
  });
}

test('filters are read by their fields', async (t) => {
  const given = [
    'name=~base',
    'os=smartos',
    'public=true',
    'shared=false',
    'billing_tag=a',
    'billing_tag=b',
    'tag.k=v=w',
  ];
  t.strictSame(readFilters(given), {
    name: '~base',
    os: 'smartos',
    public: true,
    shared: false,
    billing_tag: ['a', 'b'],
    tags: { k: 'v=w' },
  });
  t.strictSame(readFilters([]), {});
});

const BAD: readonly [string, string][] = [
  ['base', 'filter "base" is not right; it must be FIELD=VALUE'],
  ['=x', 'filter "=x" is not right; it must be FIELD=VALUE'],
  ['nmae=x', 'unknown filter "nmae"; did you mean "name"?'],
  ['public=yes', 'filter public is "yes"; it must be true or false'],
];

for (const [filter, message] of BAD) {
  test(`the filter ${filter} is refused: ${message}`, async (t) => {
    t.throws(() => readFilters([filter]), { code: 'Usage', exitCode: 2, message });
  });
}
