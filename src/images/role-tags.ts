/**
 * Which roles of an account are tagged on one of its resources: an image that it sees, or all of a kind. What an account's
 * tags say concerns its own sub-users alone, so they are no part of the image. Triton keeps them in UFDS.
 */
import type { RoleTags } from '#lib/api/schemas/role-tags.ts';
import type { Bucket, Stored, WithStore, Write } from '#lib/documents/store.ts';

interface TagsRecord extends RoleTags {
  /** The image that the resource is. */
  readonly image?: string;
}

export const ROLE_TAGS: Bucket<TagsRecord> = {
  name: 'imgapi_role_tags',
  version: 1,
  index: { image: { type: 'string' } },
};

const IMAGE = /^\/images\/(.+)$/;

export async function roleTags({ store }: WithStore, account: string, resource: string): Promise<RoleTags> {
  const stored = await store.get(ROLE_TAGS, keyOf(account, resource));
  return { account, resource, roles: stored?.value.roles ?? [] };
}

/** Of two callers at once, the later one decides. */
export async function setRoleTags({ store }: WithStore, tags: RoleTags): Promise<RoleTags> {
  const { account, resource, roles } = tags;
  const key = keyOf(account, resource);
  const [, image] = IMAGE.exec(resource) ?? [];
  const value: TagsRecord = { account, resource, roles: [...new Set(roles)], ...(image !== undefined && { image }) };
  await store.batch([
    roles.length === 0 ? { op: 'del', bucket: ROLE_TAGS, key } : { op: 'put', bucket: ROLE_TAGS, key, value },
  ]);
  return { account, resource, roles: value.roles };
}

/** Belongs in the batch that removes the record of an image: drops what any account has tagged on it. */
export async function forgetRoleTags(service: WithStore, image: string): Promise<Write[]> {
  return (await tagsOn(service, image)).map(({ key }) => ({ op: 'del', bucket: ROLE_TAGS, key }));
}

/** Belongs in the batch that gives an image another UUID: what is tagged on it goes along. The old tags go with the old record. */
export async function renameRoleTags(service: WithStore, image: string, to: string): Promise<Write[]> {
  const resource = `/images/${to}`;
  return (await tagsOn(service, image)).map(({ value: { account, roles } }) => {
    const key = keyOf(account, resource);
    return { op: 'put', bucket: ROLE_TAGS, key, value: { account, resource, roles, image: to } };
  });
}

function tagsOn({ store }: WithStore, image: string): Promise<Stored<TagsRecord>[]> {
  return store.find(ROLE_TAGS, { filter: { op: 'eq', field: 'image', value: image } });
}

function keyOf(account: string, resource: string): string {
  return account + resource;
}
