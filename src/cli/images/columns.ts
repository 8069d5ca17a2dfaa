/** The columns in which images can be listed. */
import type { ApiImage } from '#lib/client/types.ts';
import type { ColumnSet } from '../framework/table-options.ts';
import { formatBytes } from '../output/bytes.ts';
import { imageFlags } from './flags.ts';

export const USUAL_COLUMNS = [
  'shortid',
  'name',
  'version',
  'os',
  'type',
  'state',
  'flags',
  'owner',
  'pubdate',
] as const;
export const LONG_COLUMNS = ['uuid', ...USUAL_COLUMNS.slice(1)] as const;

/** @param account whose list it is; undefined: the operator's */
export function imageColumns(account: string | undefined): ColumnSet<ApiImage> {
  return {
    shortid: { title: 'SHORTID', value: ({ uuid }) => uuid.slice(0, 8) },
    uuid: { title: 'UUID', value: ({ uuid }) => uuid },
    name: { title: 'NAME', value: ({ name }) => name },
    version: { title: 'VERSION', value: ({ version }) => version },
    os: { title: 'OS', value: ({ os }) => os },
    type: { title: 'TYPE', value: ({ type }) => type },
    state: { title: 'STATE', value: ({ state }) => state },
    flags: { title: 'FLAGS', value: (image) => imageFlags(image, account) },
    owner: { title: 'OWNER', value: (image) => image.owner_login ?? image.owner },
    owner_uuid: { title: 'OWNER_UUID', value: ({ owner }) => owner },
    owner_login: { title: 'OWNER_LOGIN', value: (image) => image.owner_login },
    pubdate: { title: 'PUBDATE', value: (image) => image.published_at?.slice(0, 10) },
    published_at: { title: 'PUBLISHED_AT', value: (image) => image.published_at?.replace(/\.\d+Z$/, 'Z') },
    size: { title: 'SIZE', align: 'right', value: ({ files: [file] }) => file && formatBytes(file.size) },
    bytes: { title: 'BYTES', align: 'right', value: ({ files: [file] }) => file && String(file.size) },
    sha1: { title: 'SHA1', value: ({ files: [file] }) => file?.sha1 },
    compression: { title: 'COMPRESSION', value: ({ files: [file] }) => file?.compression },
    origin: { title: 'ORIGIN', value: ({ origin }) => origin },
    public: { title: 'PUBLIC', value: (image) => String(image.public) },
    acl: { title: 'ACL', value: ({ acl = [] }) => acl.join(',') },
    copied_from: { title: 'COPIED_FROM', value: (image) => image.copied_from?.datacenter },
    description: { title: 'DESCRIPTION', value: ({ description }) => description },
  };
}
