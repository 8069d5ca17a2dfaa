/** One letter for what stands out of an image, as Triton's command shows it. */
import type { Image } from '#lib/api/schemas/image.ts';

export const FLAG_MEANINGS = [
  'P  the image is public',
  '+  it is shared with others',
  'S  it is shared with the account',
  'I  it is incremental: it has an origin',
  'X  its state is not active',
  'D  it is deprecated',
] as const;

/** @param account whose list it is; undefined: the operator's, who sees every share */
export function imageFlags(image: Image, account: string | undefined): string {
  const { acl = [], owner, origin, state, shared_as: sharedAs = [], left_by: left = [] } = image;
  const isOwn = account === undefined || owner === account;
  const isSharedWithMe = account !== undefined && !isOwn && (acl.includes(account) || sharedAs.length > 0);
  return [
    image.public ? 'P' : '',
    isOwn && acl.some((entry) => !left.includes(entry)) ? '+' : '',
    isSharedWithMe ? 'S' : '',
    origin === undefined ? '' : 'I',
    state === 'active' ? '' : 'X',
    isDeprecated(image) ? 'D' : '',
  ].join('');
}

/** By the clock of this machine. */
export function isDeprecated({ deprecated_at: at }: Pick<Image, 'deprecated_at'>): boolean {
  return at !== undefined && Date.parse(at) <= Date.now();
}
