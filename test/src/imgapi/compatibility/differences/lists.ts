/** ListImages. */
import { ALICE, BOB } from '../../../../helpers/accounts.ts';
import { ABORT, STAYS_UP } from '../abort.ts';
import { LONG_TAG } from '../images.ts';
import type { Difference } from '../row.ts';

const NO_ACCOUNT = '200, what an account without images sees';
const NAMES_STATE = '422, but the error names `state`';

export const LISTS: readonly Difference[] = (
  [
    {
      request: 'GET /images?account=',
      theirs: '200, all images, as for an operator',
      ours: '422 InvalidParameter account/Invalid',
      why: 'An empty name must not make an operator of whoever sends it.',
    },
    {
      request: 'GET /images?account=foo',
      theirs: NO_ACCOUNT,
      ours: '422 InvalidParameter account/Invalid',
      why: 'As on all other paths: whoever names an account wrongly is told so.',
    },
    {
      request: `GET /images?account=${ALICE.toUpperCase()}`,
      theirs: NO_ACCOUNT,
      ours: '422 InvalidParameter account/Invalid',
      why: 'UUIDs are lower case.',
    },
    {
      request: `GET /images?account=${ALICE}&account=${BOB}`,
      theirs: NO_ACCOUNT,
      ours: '422 InvalidParameter account/Invalid',
      why: 'Nobody can tell whose images are asked for.',
    },
    {
      request: 'GET /images?name=a&name=priv',
      theirs: '200, an empty list',
      ours: '422 InvalidParameter name/Invalid',
      why: 'No image can match, so the request is a mistake.',
    },
    {
      request: 'GET /images?limit=abc',
      theirs: NAMES_STATE,
      ours: '422 InvalidParameter limit/Invalid',
      why: 'The error names the parameter that is wrong.',
    },
    {
      request: 'GET /images?limit=1&limit=2',
      theirs: NAMES_STATE,
      ours: '422 InvalidParameter limit/Invalid',
      why: 'The error names the parameter that is wrong.',
    },
    {
      request: 'GET /images?limit=2&sort=published_at.desc',
      theirs: '200, the first two that it comes across, sorted',
      ours: '200 [priv shared]; the two newest',
      why: 'Sorted first, then cut: no image is left out by paging.',
    },
    {
      request: 'GET /images?state=all&limit=3',
      theirs: '200, images without a date in any order',
      ours: '200 [new ready pub]; by date, then UUID',
      why: 'Pages meet exactly, whatever the dates.',
    },
    {
      request: 'GET /images?state=all&limit=3&sort=published_at.desc',
      theirs: '200, the first three that it comes across, sorted',
      ours: '200 [priv shared pub]; the three newest',
      why: 'Sorted first, then cut: no image is left out by paging.',
    },
    {
      request: `GET /images?account=${BOB}&owner=${ALICE}&state=failed`,
      theirs: '200, also what is not in that state',
      ours: '200 []',
      why: 'The filter by state holds whosever images are asked for.',
    },
    {
      request: `GET /images?Account=${ALICE}`,
      theirs: '200, all images, as for an operator',
      ours: '422 InvalidParameter account/Invalid',
      why: 'A name that decides who asks must not be ignored because it is spelt otherwise.',
    },
    {
      request: `GET /images?${Array.from({ length: 21 }, (_, i) => `tag.t${i}=x`).join('&')}`,
      theirs: '200, an empty list',
      ours: '422 InvalidParameter tag.t0/Invalid',
      why: 'At most 20 filters: nobody has the database plan a query without end.',
    },
    {
      request: 'GET /images?public=',
      theirs: ABORT,
      ours: '422 InvalidParameter public/Invalid',
      why: 'Of a flag an empty value is no value: `dry_run=` must not do the real thing.',
    },
    {
      request: 'GET /images?public=x',
      theirs: ABORT,
      ours: '422 InvalidParameter public/Invalid',
      why: STAYS_UP,
    },
    { request: 'GET /images?billing_tag=xl', theirs: ABORT, ours: '200 [pub]', why: 'The filter works.' },
    {
      request: `GET /images?tag.long=${LONG_TAG}`,
      theirs: '200, an empty list',
      ours: '200 [pub]',
      why: 'A tag is found by its whole value, however long.',
    },
    {
      request: 'GET /images',
      headers: { 'accept-version': '~3' },
      theirs: '400 InvalidVersion',
      ours: '200 [pub shared priv]',
      why: 'There is a version 3; whoever does not ask for it sees nothing of it.',
    },
    {
      request: 'HEAD /images',
      theirs: '405',
      ours: '200',
      why: 'HEAD is served wherever GET is.',
    },
  ] satisfies readonly Difference[]
).map((row): Difference => ({ ...row, on: 'lists' }));
