/** Images by number, as many as are wanted. */
import type { ImageRecord } from '#lib/manifest/record.ts';
import { ALICE, BOB, CAROL } from '../helpers/accounts.ts';

const OF_A_NAME = 20;

/** How many names so many images have. */
export function namesOf(images: number): number {
  return Math.ceil(images / OF_A_NAME);
}

/** Scattered as random ones are, and known to whoever knows the number; random-paths.lua makes the same ones. */
export function uuidOf(index: number): string {
  const scattered = (index * 2654435761) % 2 ** 32;
  return `${scattered.toString(16).padStart(8, '0')}-1000-4000-8000-${index.toString(16).padStart(12, '0')}`;
}

/** One image of so many is deprecated. */
const DEPRECATED = 499;

/** @param names how many there are in all */
export function imageOf(index: number, names: number): ImageRecord {
  const published = new Date(Date.UTC(2020, 0, 1) + index * 60_000).toISOString();
  return {
    v: 2,
    uuid: uuidOf(index),
    owner: [ALICE, BOB, CAROL][index % 3] ?? ALICE,
    name: `image-${index % names}`,
    version: `1.${index}.0`,
    description: 'An image among many, with a description of the length that descriptions commonly have.',
    state: 'active',
    activated: true,
    disabled: false,
    public: index % 10 === 0,
    published_at: published,
    type: 'zone-dataset',
    os: 'smartos',
    files: [
      {
        sha1: 'da39a3ee5e6b4b0d3255bfef95601890afd80709',
        size: 1e8,
        contentMD5: '1B2M2Y8AsgTpgAmY7PhCfg==',
        mtime: published,
        stor: 'local',
        compression: 'gzip',
      },
    ],
    acl: index % 5 === 0 ? [ALICE] : [],
    requirements: { min_platform: { '7.0': '20130917T001310Z' } },
    ...(index % DEPRECATED === DEPRECATED - 1 && { deprecated_at: published }),
    tags: ['role=db'],
    tagsObj: { role: 'db' },
    rev: 1,
  };
}
