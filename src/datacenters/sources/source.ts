/**
 * Another datacenter as a source of images, whatever way it is reached: over a link (signed, its link listener), as a
 * legacy link (unsigned, the main port of an IMGAPI that knows API version 2 only), or as a bare IMGAPI URL that an
 * operator named. Copies see only this.
 */
import type { Readable } from 'node:stream';
import type { PullUrl } from '#lib/api/schemas/pull-url.ts';
import type { Compression, Share } from '#lib/manifest/record.ts';

/** A file as a manifest from elsewhere describes it. */
export interface ForeignFile {
  /** Hex, in lower case. */
  readonly sha1: string;
  readonly size: number;
  /** Absent when it is none that is known here. */
  readonly compression?: Compression;
  readonly dataset_guid?: string;
  /** Linked datacenters only. */
  readonly sha256?: string;
}

/** An image as the source shows it, checked for form: the UUID is the one asked for, known fields only. */
export interface SourceImage {
  /** The manifest in its richest form that the source gives: `files[]`, `acl` with UUIDs, all mutable fields. */
  readonly manifest: Readonly<Record<string, unknown>>;
  /** Those of the manifest, read. Where they are stored is never taken from there. */
  readonly files: readonly ForeignFile[];
  /** The ACL with pinned accounts; linked datacenters only. */
  readonly shares?: readonly Share[];
  /** Entries that open nothing because their account left, logins with that account; linked datacenters only. */
  readonly left?: readonly Share[];
}

export interface SourceFile {
  /** 206 when the range was honoured, 200 when the file came from its start. */
  readonly status: 200 | 206;
  /** Bytes that this stream will bring, when known. */
  readonly length: number | undefined;
  readonly stream: Readable;
}

export interface FileRequest {
  /** Account as which to ask; absent: as operator. */
  readonly account: string | undefined;
  /** First byte wanted. */
  readonly start: number;
  /** The file's sha1: a source that holds other bytes by now answers 412. */
  readonly sha1: string;
  readonly signal: AbortSignal;
}

/**
 * Calls reject with ImgapiError as the source answered, with ImgapiUnreachableError when it could not be asked, or
 * with SourceInvalidError when its answer is not what was asked for.
 */
export interface ImageSource {
  /** What orders show: the datacenter's name, or the URL. */
  readonly name: string;
  readonly kind: 'link' | 'legacy' | 'url';
  getImage(uuid: string, account: string | undefined, signal: AbortSignal): Promise<SourceImage>;
  /** Undefined when the image has no icon. */
  getIcon(
    uuid: string,
    account: string | undefined,
    signal: AbortSignal,
  ): Promise<{ contentType: string; stream: Readable; length: number } | undefined>;
  /** Streams the file through the source's IMGAPI. */
  getFile(uuid: string, request: FileRequest): Promise<SourceFile>;
  /** Undefined where the source gives no pull URLs. `renew` names the pull link to extend. */
  createPullUrl(
    uuid: string,
    account: string | undefined,
    renew: string | undefined,
    signal: AbortSignal,
  ): Promise<PullUrl | undefined>;
  /** Ends a pull link that is needed no more; one that is not there, or cannot be ended, is no error. */
  endPull(reqid: string, signal: AbortSignal): Promise<void>;
  /** Streams from a pull URL; refuses one whose origin the link does not record. */
  getPullUrl(url: string, request: FileRequest): Promise<SourceFile>;
  /** Random value that names the source's object store, to find out whether we share it; undefined when not told. */
  storeIdentity(signal: AbortSignal): Promise<string | undefined>;
}
