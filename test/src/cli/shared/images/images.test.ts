import { test } from 'tap';
import { imageColumns } from '#src/cli/shared/images/columns.ts';
import { readFilters } from '#src/cli/shared/images/filters.ts';
import { imageFlags } from '#src/cli/shared/images/flags.ts';
import { shownEntries } from '#src/cli/shared/images/sharing.ts';
import { ALICE, BASE, BOB, image } from '../../fixtures.ts';

const CAROL = '7f3c1d52-9d4e-4c6b-8f0a-3d1f0d3f6c55';

const FLAGS: readonly [string, Parameters<typeof image>[0], string | undefined, string][] = [
  ['a plain image', {}, ALICE, ''],
  ['a public image', { public: true }, BOB, 'P'],
  ['an image with an origin', { origin: BASE }, ALICE, 'I'],
  ['an image that is not active', { state: 'copying' }, ALICE, 'X'],
  ['a shared image, to its owner', { acl: ['bob'] }, ALICE, '+'],
  ['a shared image, to the operator', { acl: [BOB] }, undefined, '+'],
  ['a shared image, to whom it is shared', { acl: [BOB] }, BOB, 'S'],
  ['an image shared by login', { acl: [], shared_as: ['bob'] }, BOB, 'S'],
  ['an image that all left, to its owner', { acl: ['bob'], left_by: ['bob', CAROL] }, ALICE, ''],
  ['an image shared with somebody else', { acl: [ALICE] }, BOB, ''],
  ['an image that is all of it', { public: true, acl: ['bob'], origin: BASE, state: 'disabled' }, ALICE, 'P+IX'],
];

for (const [what, fields, account, flags] of FLAGS) {
  test(`the flags of ${what} are "${flags}"`, async (t) => {
    t.equal(imageFlags(image(fields), account), flags);
  });
}

test('an entry that was left is marked', async (t) => {
  t.strictSame(shownEntries(['bob', 'bib'], ['bob', CAROL]), ['bob (left)', 'bib', `${CAROL} (left)`]);
  t.strictSame(shownEntries(undefined, undefined), []);
  const { acl } = imageColumns(ALICE);
  t.equal(acl?.value(image({ acl: ['bob', 'bib'], left_by: ['bob'] })), 'bob (left),bib');
});

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
  t.strictSame(readFilters(['state=frozen']), { state: 'frozen' }, 'a state of a server to come');
});

const BAD: readonly [string, string][] = [
  ['base', 'filter "base" is wrong; it must be FIELD=VALUE'],
  ['=x', 'filter "=x" is wrong; it must be FIELD=VALUE'],
  ['nmae=x', 'unknown filter "nmae"; did you mean "name"?'],
  ['state=actve', 'filter state is "actve"; did you mean "active"?'],
  ['public=yes', 'filter public is "yes"; it must be true or false'],
];

for (const [filter, message] of BAD) {
  test(`the filter ${filter} is refused: ${message}`, async (t) => {
    t.throws(() => readFilters([filter]), { code: 'Usage', exitCode: 2, message });
  });
}
