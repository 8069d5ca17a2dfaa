/**
 * Another datacenter as a source of images, however it is reached: over a link (signed requests to its link listener),
 * a legacy link (unsigned requests to the main port of an IMGAPI that supports only API version 2), or an IMGAPI URL
 * that an operator named. Copies use only this interface.
 */
import type { Readable } from 'node:stream';
import type { LinkPieces } from '#lib/api/schemas/link.ts';
import type { PullUrl } from '#lib/api/schemas/pull-url.ts';
import type { Compression, Share } from '#lib/manifest/record.ts';

/** A file as a manifest from elsewhere describes it. */
export interface ForeignFile {
  /** Lower-case hex. */
  readonly sha1: string;
  readonly size: number;
  /** Absent if it is not one that we know. */
  readonly compression?: Compression;
  readonly dataset_guid?: string;
  /** From linked datacenters only. */
  readonly sha256?: string;
}

/** An image from the source, with its form checked: the UUID is the requested one, and all fields are known. */
export interface SourceImage {
  /** The fullest manifest that the source gives: `files[]`, `acl` with UUIDs, all mutable fields. */
  readonly manifest: Readonly<Record<string, unknown>>;
  /** The manifest's files, parsed. Where they are stored is never taken from a manifest. */
  readonly files: readonly ForeignFile[];
  /** The ACL with pinned accounts; from linked datacenters only. */
  readonly shares?: readonly Share[];
  /** Entries without effect because their account left, with the account if by login; from linked datacenters only. */
  readonly left?: readonly Share[];
}

export interface SourceFile {
  /** 206 if the range was honoured, 200 if the file comes from its start. */
  readonly status: 200 | 206;
  /** Bytes in this stream, if known. */
  readonly length: number | undefined;
  readonly stream: Readable;
}

export interface FileRequest {
  /** Which of the image's files; default the first. */
  readonly index?: number;
  /** The account to ask as; undefined: as operator. */
  readonly account: string | undefined;
  /** Offset of the first byte. */
  readonly start: number;
  /** Offset of the last byte; default the last of the file. */
  readonly end?: number;
  /** The file's expected sha1: a source that has other bytes by now answers 412. */
  readonly sha1: string;
  readonly signal: AbortSignal;
}

/**
 * Calls reject with the ImgapiError that the source answered, with ImgapiUnreachableError if it could not be reached,
 * or with SourceInvalidError if its answer is invalid.
 */
export interface ImageSource {
  /** As shown in orders: the datacenter's name, or the URL. */
  readonly name: string;
  readonly kind: 'link' | 'legacy' | 'url';
  getImage(uuid: string, account: string | undefined, signal: AbortSignal): Promise<SourceImage>;
  /** Undefined if the image has no icon. */
  getIcon(
    uuid: string,
    account: string | undefined,
    signal: AbortSignal,
  ): Promise<{ contentType: string; stream: Readable; length: number } | undefined>;
  /** Streams the file through the source's IMGAPI. */
  getFile(uuid: string, request: FileRequest): Promise<SourceFile>;
  /** A page of the hashes of the file's pieces; undefined if the source tells none. */
  getPieces(
    uuid: string,
    request: { readonly account: string | undefined; readonly page: number; readonly signal: AbortSignal },
  ): Promise<LinkPieces | undefined>;
  /** Undefined if the source gives no pull URLs. `renew` is the id of a pull link to extend. */
  createPullUrl(
    uuid: string,
    account: string | undefined,
    renew: string | undefined,
    signal: AbortSignal,
  ): Promise<PullUrl | undefined>;
  /** Ends a pull link that is no longer needed. It is not an error if it does not exist or cannot be ended. */
  endPull(reqid: string, signal: AbortSignal): Promise<void>;
  /** Streams from a pull URL; refuses one that the link does not allow. */
  getPullUrl(url: string, request: FileRequest): Promise<SourceFile>;
  /** The random ids of the source's object stores, which show whether we share one; none if they are not known. */
  storeIdentities(signal: AbortSignal): Promise<readonly string[]>;
}
