/** What is about no image: paths, versions, samples of errors. */
import type { Difference } from '../row.ts';

const SLASH = 'A slash at the end makes no difference.';

/** A sample of each status. */
const SAMPLES = {
  AccountDoesNotExist: 422,
  BadRequest: 400,
  Download: 400,
  ImageHasDependentImages: 422,
  ImageNotShared: 422,
  InsufficientServerVersion: 422,
  NotAvailable: 501,
  NotImplemented: 400,
  OwnerDoesNotExist: 422,
  ResourceNotFound: 404,
} as const;

const NOT_HERE = 'Nothing speaks to registries of Docker and LXD here. What is wrong with the request is said first.';

export const SERVICE: readonly Difference[] = [
  {
    request: 'POST /images?action=import-docker-image&repo=busybox&tag=latest',
    theirs: '200, and lines of progress',
    ours: '501 NotAvailable',
    why: NOT_HERE,
  },
  {
    request: 'POST /images?action=import-lxd-image&alias=images:alpine/3.10',
    theirs: '200, and lines of progress',
    ours: '501 NotAvailable',
    why: NOT_HERE,
  },
  {
    request: 'POST /images/$docker/push?repoAndTag=127.0.0.1:1/a:b',
    theirs: 'the process ends',
    ours: '422 ValidationFailed manifest_str/MissingParameter',
    why: NOT_HERE,
  },
  { request: 'GET /images/$active/', theirs: '404 ResourceNotFound', ours: '200', why: SLASH },
  { request: 'GET /images/$active/file/', theirs: '404 ResourceNotFound', ours: '200', why: SLASH },
  { request: 'GET /ping/', theirs: '404 ResourceNotFound', ours: '200', why: SLASH },
  { request: 'HEAD /images/$active', theirs: '405', ours: '200', why: 'HEAD is served wherever GET is.' },
  {
    request: 'GET /ping?error=',
    theirs: '500 InternalError',
    ours: '422 InvalidParameter error/Missing',
    why: 'No error has that name.',
  },
  ...Object.entries(SAMPLES).map(
    ([code, status]): Difference => ({
      request: `GET /ping?error=${code}`,
      theirs: '500 InternalError',
      ours: `${status} ${code}`,
      why: 'The samples are there for authors of clients.',
    }),
  ),
  {
    request: 'GET /ping?error=Unauthorized',
    theirs: '500 InternalError',
    ours: '401 UnauthorizedError',
    why: 'The samples are there for authors of clients.',
  },
  {
    request: 'GET /docs/',
    headers: { accept: 'text/html' },
    theirs: '200, or 404 where it was not built',
    ours: '200',
    sends: { 'content-type': 'text/html; charset=utf-8' },
    why: 'The documentation of the version that runs; in Markdown to those who do not ask for HTML.',
  },
];
