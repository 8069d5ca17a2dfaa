/**
 * Why a copy does not go on: every code that orders, transfers and placeholders show in `error`, when it is used, what
 * the reader can do, and whether the engine tries again by itself. The docs are made from this table.
 */
import { cutText } from '#lib/text/cut-text.ts';

export interface FailureSpec {
  readonly when: string;
  readonly remedy: string;
  /**
   * `retry`: again after a pause, until no new byte came for `copies.giveUpAfterSeconds`. `restart`: at once from the
   * first byte, a few times. `permanent`: the order fails.
   */
  readonly action: 'retry' | 'restart' | 'permanent';
}

export const FAILURES = {
  SourceUnreachable: {
    when: 'the source cannot be reached, or the connection broke',
    remedy: 'Nothing: it is tried again. Check the network if it lasts.',
    action: 'retry',
  },
  SourceError: {
    when: 'the source answered 5xx, or asked to slow down',
    remedy: 'Nothing: it is tried again. Look at the log of the source if it lasts.',
    action: 'retry',
  },
  SourceUnauthorized: {
    when: "the source does not accept this datacenter's signature",
    remedy: 'Check the clocks and the link on both sides: imgapiadm datacenters.',
    action: 'retry',
  },
  Stalled: {
    when: 'no byte came for copies.stallSeconds',
    remedy: 'Nothing: it is tried again. Check the network if it lasts.',
    action: 'retry',
  },
  TooSlow: {
    when: 'less than copies.leastRate came for copies.leastRateSeconds',
    remedy:
      'Nothing: others get their turn, and it is tried again after a pause that grows. Check the source if it lasts.',
    action: 'retry',
  },
  StorageIsDown: {
    when: 'an object store or the document store here cannot be reached',
    remedy: 'Nothing: it is tried again. Check the stores of this datacenter if it lasts.',
    action: 'retry',
  },
  Busy: {
    when: 'the image or its copy is being worked on by another process just now',
    remedy: 'Nothing: it is tried again.',
    action: 'retry',
  },
  InternalError: {
    when: 'something that should not happen did; the log has it',
    remedy: 'Nothing: it is tried again. Report what the log says.',
    action: 'retry',
  },
  WrongBytes: {
    when: 'the file that came has another size or hash than the manifest says',
    remedy: 'Nothing at first: it is fetched anew. Verify the image at the source if the copy fails by it.',
    action: 'restart',
  },
  HashMismatch: {
    when: 'the source sent a wrong file several times in a row',
    remedy: 'Verify the image at the source: imgapiadm verify.',
    action: 'permanent',
  },
  SourceGone: {
    when: 'the image is not at the source any more',
    remedy: 'Copy it from another datacenter that has it.',
    action: 'permanent',
  },
  NotOwner: {
    when: 'the image belongs to another account at the source by now',
    remedy: 'Only its owner can copy it.',
    action: 'permanent',
  },
  SourceChanged: {
    when: 'another file is at the source by now',
    remedy: 'Copy again.',
    action: 'permanent',
  },
  SourceInvalid: {
    when: 'the source answered with something that is no such image, or refuses to serve it',
    remedy: 'Look at the image, and at the version of the service, at the source.',
    action: 'permanent',
  },
  OriginMismatch: {
    when: 'an origin that is here has another file than the one at the source',
    remedy: 'One of the two images is damaged or was made twice under one UUID: find out which.',
    action: 'permanent',
  },
  PlaceholderGone: {
    when: 'a member of the chain was removed here while the copy ran',
    remedy: 'Copy again.',
    action: 'permanent',
  },
  NotLinked: {
    when: 'this datacenter has no link with the source',
    remedy: 'Link the datacenters: imgapiadm link-dc.',
    action: 'permanent',
  },
  InsufficientStorage: {
    when: 'the object store here has no room for the file',
    remedy: 'Free some space, then copy again: the bytes that are here are kept.',
    action: 'permanent',
  },
  GaveUp: {
    when: 'no new byte came for copies.giveUpAfterSeconds',
    remedy: 'Mend what the message names, then copy again: the bytes that are here are kept.',
    action: 'permanent',
  },
} as const satisfies Record<string, FailureSpec>;

export type FailureCode = keyof typeof FAILURES;

/** A failure of a copy that is known by its code where it is thrown. */
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
