/** What no single request shows: how today's IMGAPI and this service differ over time, and the test that holds it. */
export interface Behaviour {
  readonly what: string;
  readonly theirs: string;
  readonly ours: string;
  /** Below `test/`. */
  readonly test: string;
}

export const BEHAVIOURS: readonly Behaviour[] = [
  {
    what: 'change-stor to local files',
    theirs: 'loses the file',
    ours: 'the image can be read all the time; the old bytes go last',
    test: 'src/images/moving/move-image.test.ts',
  },
  {
    what: 'an upload that fails a check',
    theirs: 'its bytes stay, in Manta in place of the file that was there',
    ours: 'nothing of it is kept, and the file that was there stays',
    test: 'src/images/files/files.test.ts',
  },
  {
    what: 'pages of a list',
    theirs: 'images of the same date are lost or come twice',
    ours: 'every image comes once',
    test: 'src/imgapi/list-paging.test.ts',
  },
  {
    what: 'two who change an image, or its ACL, at the same time',
    theirs: 'one change is lost',
    ours: 'both are made, one after the other',
    test: 'src/images/sharing/shares.test.ts',
  },
  {
    what: 'two processes side by side',
    theirs: 'answer differently for up to five minutes',
    ours: 'what one has written the other reads at once',
    test: 'faults/two-processes.test.ts',
  },
  {
    what: 'a process that dies in the middle of an upload, a deletion or a clone',
    theirs: 'bytes without a record, or a record without bytes',
    ours: 'the state before or the one after; the next process cleans up',
    test: 'faults/upload-dies.test.ts',
  },
  {
    what: 'import-remote and import-from-datacenter',
    theirs: 'one try of an hour; two at once undo each other',
    ours: 'goes on where it was, across restarts; who asks again joins it',
    test: 'src/copies/orders.test.ts',
  },
  {
    what: 'a clone of an incremental image, copied to another datacenter',
    theirs: 'refused: its origins are disabled',
    ours: 'copied, and they stay disabled',
    test: 'src/copies/orders/chain.test.ts',
  },
  {
    what: 'placeholders past their date',
    theirs: 'stay for ever',
    ours: 'go, with their bytes',
    test: 'src/images/record/placeholder-expiry.test.ts',
  },
  {
    what: 'jobs of an image',
    theirs: 'shown to whoever sees the image',
    ours: 'shown to its owner and operators',
    test: 'src/imgapi/visibility.test.ts',
  },
  {
    what: 'a document store that is down',
    theirs: '500 for lists and writes, 503 for images',
    ours: '503 ServiceUnavailable',
    test: 'src/imgapi/stores-down.test.ts',
  },
  {
    what: 'deleting an image that others built on while they could see it',
    theirs: 'refused for as long as their images are there',
    ours: 'refused while they may use it; whoever stops sharing can delete',
    test: 'src/images/delete-image.test.ts',
  },
];
