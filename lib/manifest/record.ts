/**
 * The image as it is stored in the bucket `imgapi_images`.
 *
 * An older IMGAPI may read and write the same bucket, so everything it knows keeps its stored form: `tags` are search
 * strings beside the real `tagsObj`, `acl` holds only UUIDs, and `state` is a state that it understands or skips. What
 * it does not know (`shares`, `grants`, `copy`, `intent`, …) is in separate fields, which it leaves alone.
 */
import type { Bucket } from '../documents/store.ts';
import type { Which } from './object-paths.ts';

export const IMAGE_TYPES = ['zone-dataset', 'lx-dataset', 'lxd', 'zvol', 'docker', 'other'] as const;
export type ImageType = (typeof IMAGE_TYPES)[number];

export const IMAGE_OSES = ['smartos', 'linux', 'windows', 'bsd', 'illumos', 'other'] as const;
export type ImageOs = (typeof IMAGE_OSES)[number];

export const COMPRESSIONS = ['gzip', 'bzip2', 'xz', 'none'] as const;
export type Compression = (typeof COMPRESSIONS)[number];

/** `deleting` marks a tombstone: nobody sees it as an image, and it stays until its bytes are gone. */
export const STORED_STATES = ['active', 'unactivated', 'disabled', 'failed', 'creating', 'deleting'] as const;
export type StoredState = (typeof STORED_STATES)[number];

export interface FileRecord {
  readonly sha1: string;
  readonly size: number;
  /** Base64. Absent, like `mtime`, on some files that an older IMGAPI stored. */
  readonly contentMD5?: string;
  /** Absent on files that an older IMGAPI stored. */
  readonly sha256?: string;
  /** ISO date. */
  readonly mtime?: string;
  /** Name of the object store that holds it; `local` where an older IMGAPI stored none. */
  readonly stor: string;
  readonly compression: Compression;
  readonly dataset_guid?: string;
  readonly digest?: string;
  readonly uncompressedDigest?: string;
}

export interface IconRecord {
  readonly sha1: string;
  readonly size: number;
  readonly contentType: string;
  /** Absent, like `mtime`, on some icons that an older IMGAPI stored. */
  readonly contentMD5?: string;
  readonly mtime?: string;
  readonly stor: string;
}

/** One entry of the v3 ACL that is a login, or the place of a UUID entry in the order. */
export interface Share {
  /** As typed. */
  readonly entry: string;
  /** For a login: the account that it opens the image to; absent while nobody has the login. */
  readonly account?: string;
  /** For a login, always: ISO date of the write that made or renewed the entry. */
  readonly shared_at?: string;
}

/** Set by operators; the image's owner cannot change them. */
export type Marks = Pick<ImageRecord, 'billing_tags' | 'traits'>;

/** Present while the image is a placeholder of a copy. */
export interface CopyMark {
  /** The transfer is under way (`live`) or was given up (`failed`). */
  readonly state: 'live' | 'failed';
  readonly datacenter: string;
  readonly sha1?: string;
  readonly size?: number;
  /** Write session of the transfer's latest attempt: only that one may place the file. */
  readonly session?: string;
}

/** What a writer is about to place under a fixed name; see `src/images/files/file-placement.ts`. */
export interface PlacementIntent {
  /** Path of the object. */
  readonly object: string;
  /** Name of the write session that holds the bytes. */
  readonly session: string;
  readonly size: number;
  readonly sha1: string;
  /** The file record that becomes true once the bytes are placed. */
  readonly file: FileRecord | IconRecord;
  readonly kind: 'file' | 'icon';
  /** On whose behalf, for the event of it; absent: the service's own. */
  readonly cause?: { readonly account?: string; readonly request_id?: string };
  /** The process that places it: when that has died, nobody has to wait for the end of the lease. */
  readonly worker?: string;
  /** The bytes came by a link, and are read later. */
  readonly is_unread?: true;
  /**
   * Which of the files gets its bytes anew, in this or another store, and stays as it is otherwise, or which comes behind
   * those that there are. Absent: the file becomes the only one.
   */
  readonly index?: number;
}

/** Of a deleted image that can still be restored. */
export interface KeptImage {
  /** ISO date. */
  readonly deleted_at: string;
  /** What the tombstone itself does not have; its files, its icon and its intent it does. */
  readonly record: ImageRecord;
  /** Its origin was not here either when it was deleted, so that it need not be here when it is restored. */
  readonly lacks_origin?: true;
}

export interface ImageRecord {
  readonly v: number;
  readonly uuid: string;
  readonly urn?: string;
  readonly owner?: string;
  readonly name: string;
  readonly version: string;
  readonly description?: string;
  readonly homepage?: string;
  readonly eula?: string;
  readonly icon?: IconRecord;
  readonly state: StoredState;
  readonly error?: { readonly message?: string; readonly code?: string; readonly stack?: string };
  readonly activated: boolean;
  readonly disabled: boolean;
  readonly public: boolean;
  /** ISO date, set when activated. */
  readonly published_at?: string;
  /** When a placeholder expires, or a deleted image goes for good: an ISO date, or milliseconds since the epoch as text. */
  readonly expires_at?: string;
  readonly type: ImageType | 'null';
  readonly os: ImageOs | 'null';
  readonly origin?: string;
  readonly files?: readonly FileRecord[];
  /** The UUID entries of the ACL. */
  readonly acl?: readonly string[];
  readonly requirements?: Readonly<Record<string, unknown>>;
  readonly users?: readonly Readonly<Record<string, unknown>>[];
  readonly billing_tags?: readonly string[];
  readonly traits?: Readonly<Record<string, unknown>>;
  /** Search strings `key=value`. */
  readonly tags?: readonly string[];
  readonly tagsObj?: Readonly<Record<string, unknown>>;
  readonly generate_passwords?: boolean;
  readonly inherited_directories?: readonly string[];
  readonly nic_driver?: string;
  readonly disk_driver?: string;
  readonly cpu_type?: string;
  readonly image_size?: number;
  readonly channels?: readonly string[];
  /** ISO date from which on its owner advises against it. */
  readonly deprecated_at?: string;
  /** UUID of the image to use instead; only of one that is deprecated. It need not be here. */
  readonly replaced_by?: string;

  /** Counts the writes of this record, so that an etag never comes back. Absent on records of an older IMGAPI. */
  readonly rev?: number;
  /** All ACL entries in the order they were given, UUIDs and logins; absent while there are UUIDs only. */
  readonly shares?: readonly Share[];
  /** The accounts that login entries open the image to; `shares` without those that left. */
  readonly grants?: readonly string[];
  /**
   * Accounts that ended their own access. Their login entries stay, as the owner typed them, but open nothing until the
   * owner adds them again. Their UUID entries are removed.
   */
  readonly left?: readonly string[];
  /** The UUID entries that were removed that way, to be shown to the owner. */
  readonly left_uuids?: readonly string[];
  /** Accounts that it is shared with and that said that they want it. */
  readonly accepted?: readonly string[];
  /** It is not deleted until that is lifted. */
  readonly protected?: boolean;
  readonly copy?: CopyMark;
  /** Where a copied image came from. */
  /** `owner`: whose it was then; absent on what earlier versions copied. */
  readonly copied_from?: { readonly datacenter: string; readonly at: string; readonly owner?: string };
  /** The marks that the copy came with, so that a later recopy can tell what the source has changed since. */
  readonly copied_marks?: Marks;
  /** Where a clone came from. */
  readonly cloned_from?: { readonly uuid: string; readonly owner: string };
  readonly intent?: PlacementIntent;
  /** ISO date after which another process may finish or undo the intent; indexed, so that abandoned ones are found. */
  readonly intent_lease?: string;
  /** Only of a tombstone that reserves a UUID: the process that does. An intent comes later, if there are bytes at all. */
  readonly reserved_by?: string;
  /** Indexes of files whose bytes are known to be wrong. Nobody is given them until the right ones are there. */
  readonly quarantined?: readonly number[];
  /** The same of the icon. */
  readonly quarantined_icon?: true;
  /** Indexes of files that got their bytes by a link and were not read since. Nobody is given them until they were. */
  readonly unread?: readonly number[];
  /** Only of a tombstone: the manifest to archive once the bytes are gone. */
  readonly archive?: Readonly<Record<string, unknown>>;
  /** Only of a tombstone: its bytes stay until `expires_at`, and the image can be restored. */
  readonly kept?: KeptImage;
}

const string = { type: 'string' } as const;
const searched = { type: 'string', substrings: true } as const;
const strings = { type: 'string', array: true } as const;
const boolean = { type: 'boolean' } as const;
const choice = { type: 'string', few: true } as const;

/** The bucket of today's IMGAPI with its indexes, plus those that the new fields need. */
export const IMAGES: Bucket<ImageRecord> = {
  name: 'imgapi_images',
  version: 3,
  index: {
    uuid: { type: 'string', unique: true },
    name: searched,
    version: searched,
    owner: string,
    origin: string,
    state: choice,
    urn: { type: 'string', unique: true },
    tags: strings,
    billing_tags: strings,
    acl: strings,
    activated: boolean,
    disabled: boolean,
    public: boolean,
    os: choice,
    type: choice,
    expires_at: string,
    published_at: string,
    channels: strings,
    grants: strings,
    intent_lease: string,
    deprecated_at: { type: 'string', sparse: true },
  },
  together: [
    ['public', 'activated', 'disabled', 'published_at'],
    ['activated', 'disabled', 'published_at'],
    ['owner', 'published_at'],
    ['name', 'published_at'],
    ['state', 'published_at'],
    ['acl', 'published_at'],
    ['grants', 'published_at'],
    ['channels', 'published_at'],
    ['tags', 'published_at'],
    ['billing_tags', 'published_at'],
    ['deprecated_at', 'published_at'],
    ['deprecated_at', 'owner', 'published_at'],
  ],
};

/** The record of a file, or of the icon. */
export function objectRecord({ files, icon }: ImageRecord, which: Which): FileRecord | IconRecord | undefined {
  return which === 'icon' ? icon : files?.[which];
}
