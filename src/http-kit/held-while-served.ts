/** Holds something, such as a place, for as long as a request is served. */
import type { Call, Handler } from './call.ts';

/**
 * Takes before the handler runs, and gives back once it has ended. @param untilAnswered of the places that are taken, those
 * that are held until the answer is out as well: a long answer is made while it is sent, and the work may go on for a
 * moment after its reader has left
 */
export function heldWhileServed<C extends Call>(
  handler: Handler<C>,
  take: (call: C) => { readonly leave: () => void; readonly untilAnswered: boolean },
): Handler<C> {
  return (call) => {
    const { leave, untilAnswered } = take(call);
    let left = untilAnswered ? 2 : 1;
    const done = (): void => {
      left -= 1;
      if (left === 0) leave();
    };
    if (untilAnswered) call.onClose(done);
    let isLater = false;
    try {
      const reply = handler(call);
      isLater = reply instanceof Promise;
      return reply instanceof Promise ? reply.finally(done) : reply;
    } finally {
      if (!isLater) done();
    }
  };
}
