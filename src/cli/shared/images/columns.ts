/** The columns in which images can be listed. */
import type { Image } from '#lib/api/schemas/image.ts';
import type { ColumnSet } from '../../framework/table-options.ts';
import { formatBytes } from '../../output/bytes.ts';
import { imageFlags } from './flags.ts';
import { shownEntries } from './sharing.ts';

/** What fits a terminal of 80 columns; `long` is for wider ones. */
export function usualColumns({ long, all }: { readonly long: boolean; readonly all: boolean }): readonly string[] {
  if (long) return ['uuid', 'name', 'version', 'flags', 'os', 'type', 'state', 'owner', 'pubdate'];
  return ['shortid', 'name', 'version', 'flags', 'os', ...(all ? ['state'] : []), 'owner', 'pubdate'];
}

/** @param account whose list it is; undefined: the operator's */
export function imageColumns(account: string | undefined): ColumnSet<Image> {
  return {
    shortid: { title: 'SHORTID', value: ({ uuid }) => uuid.slice(0, 8) },
    uuid: { title: 'UUID', value: ({ uuid }) => uuid },
    name: { title: 'NAME', value: ({ name }) => name, shrinks: true },
    version: { title: 'VERSION', value: ({ version }) => version, shrinks: true },
    os: { title: 'OS', value: ({ os }) => os },
    type: { title: 'TYPE', value: ({ type }) => type },
    state: { title: 'STATE', value: ({ state }) => state },
    flags: { title: 'FLAGS', value: (image) => imageFlags(image, account) },
    owner: { title: 'OWNER', value: (image) => image.owner_login ?? image.owner?.slice(0, 8) },
    owner_uuid: { title: 'OWNER_UUID', value: ({ owner }) => owner },
    owner_login: { title: 'OWNER_LOGIN', value: (image) => image.owner_login },
    pubdate: { title: 'PUBDATE', value: (image) => image.published_at?.slice(0, 10) },
    published_at: { title: 'PUBLISHED_AT', value: (image) => image.published_at?.replace(/\.\d+Z$/, 'Z') },
    size: {
      title: 'SIZE',
      align: 'right',
      amount: ({ files: [file] }) => file?.size,
      value: ({ files: [file] }) => file && formatBytes(file.size),
    },
    bytes: { title: 'BYTES', align: 'right', value: ({ files: [file] }) => file && String(file.size) },
    sha1: { title: 'SHA1', value: ({ files: [file] }) => file?.sha1 },
    compression: { title: 'COMPRESSION', value: ({ files: [file] }) => file?.compression },
    origin: { title: 'ORIGIN', value: ({ origin }) => origin },
    public: { title: 'PUBLIC', value: (image) => String(image.public) },
    acl: {
      title: 'ACL',
      shrinks: true,
      value: ({ acl, left_by, accepted_by }) => shownEntries(acl, left_by, accepted_by).join(','),
    },
    deprecated: { title: 'DEPRECATED', value: (image) => image.deprecated_at?.slice(0, 10) },
    replaced_by: { title: 'REPLACED_BY', value: (image) => image.replaced_by },
    copied_from: { title: 'COPIED_FROM', value: (image) => image.copied_from?.datacenter },
    description: { title: 'DESCRIPTION', value: ({ description }) => description, shrinks: true },
  };
}
