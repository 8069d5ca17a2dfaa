/**
 * Why a copy stopped: every code that orders, transfers and placeholders show in `error`, when it is used, what the
 * reader can do about it, and whether the engine tries again by itself. The docs are made from this table.
 */
import { cutText } from '#lib/text/cut-text.ts';

export interface FailureSpec {
  readonly when: string;
  readonly remedy: string;
  /**
   * `retry`: try again after a pause, until no new byte has come for `copies.giveUpAfterSeconds`. `restart`: start
   * again from the first byte, a few times. `permanent`: the order fails.
   */
  readonly action: 'retry' | 'restart' | 'permanent';
}

export const FAILURES = {
  SourceUnreachable: {
    when: 'the source cannot be reached, or the connection broke',
    remedy: 'Nothing: the copy is retried. Check the network if this persists.',
    action: 'retry',
  },
  SourceError: {
    when: 'the source answered 5xx, or asked to slow down',
    remedy: 'Nothing: the copy is retried. Look at the log of the source if this persists.',
    action: 'retry',
  },
  SourceUnauthorized: {
    when: "the source does not accept this datacenter's signature",
    remedy: 'Check the clocks and the link on both sides: imgapiadm datacenters.',
    action: 'retry',
  },
  Stalled: {
    when: 'no byte arrived for copies.stallSeconds',
    remedy: 'Nothing: the copy is retried. Check the network if this persists.',
    action: 'retry',
  },
  TooSlow: {
    when: 'the rate stayed below copies.leastRate for copies.leastRateSeconds',
    remedy:
      'Nothing: others get their turn, and the copy is retried after growing pauses. Check the source if this persists.',
    action: 'retry',
  },
  StorageIsDown: {
    when: 'an object store or the document store here cannot be reached',
    remedy: 'Nothing: the copy is retried. Check the stores of this datacenter if this persists.',
    action: 'retry',
  },
  Busy: {
    when: 'another process is working on the image or its copy',
    remedy: 'Nothing: the copy is retried.',
    action: 'retry',
  },
  InternalError: {
    when: 'something happened that should not; the log has the details',
    remedy: 'Nothing: the copy is retried. Report what the log says.',
    action: 'retry',
  },
  WrongBytes: {
    when: 'the received file does not have the size or hash that the manifest says',
    remedy: 'Nothing at first: the file is fetched again. If the copy fails, verify the image at the source.',
    action: 'restart',
  },
  HashMismatch: {
    when: 'the source sent a wrong file several times in a row',
    remedy: 'Verify the image at the source: imgapiadm verify.',
    action: 'permanent',
  },
  SourceGone: {
    when: 'the image is no longer at the source',
    remedy: 'Copy it from another datacenter that has it.',
    action: 'permanent',
  },
  NotOwner: {
    when: 'the image now belongs to another account at the source',
    remedy: 'Only its owner can copy it.',
    action: 'permanent',
  },
  SourceChanged: {
    when: 'the image now has another file at the source',
    remedy: 'Copy again.',
    action: 'permanent',
  },
  SourceInvalid: {
    when: 'the source answered with something other than the image, or refuses to serve it',
    remedy: 'Check the image and the version of the service at the source.',
    action: 'permanent',
  },
  OriginMismatch: {
    when: 'an origin that is already here does not have the same file at the source',
    remedy: 'One of the two is damaged, or two images were made under one UUID: find out which.',
    action: 'permanent',
  },
  PlaceholderGone: {
    when: 'a member of the chain was removed here while the copy ran',
    remedy: 'Copy again.',
    action: 'permanent',
  },
  NotLinked: {
    when: 'this datacenter has no link to the source',
    remedy: 'Link the datacenters: imgapiadm link-dc.',
    action: 'permanent',
  },
  HoldExpired: {
    when: 'the datacenter that ordered the copy did not release it in time',
    remedy: 'Copy again, or retry the fan-out there: the bytes received are kept.',
    action: 'permanent',
  },
  InsufficientStorage: {
    when: 'the object store here has no room for the file',
    remedy: 'Free some space, then copy again: the bytes received so far are kept.',
    action: 'permanent',
  },
  GaveUp: {
    when: 'no new byte arrived for copies.giveUpAfterSeconds',
    remedy: 'Fix what the message names, then copy again: the bytes received so far are kept.',
    action: 'permanent',
  },
} as const satisfies Record<string, FailureSpec>;

export type FailureCode = keyof typeof FAILURES;

/** A failure of a copy whose code is known where it is thrown. */
export class CopyError extends Error {
  override readonly name = 'CopyError';
  readonly code: FailureCode;

  constructor(code: FailureCode, message: string, options?: ErrorOptions) {
    super(cutText(message), options);
    this.code = code;
  }
}

/** Why an order or a transfer ended or was put back. */
export interface CopyFailure {
  readonly code: FailureCode;
  readonly message: string;
}
