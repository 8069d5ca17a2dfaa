/**
 * Brings a file as pieces over several connections into a store that takes bytes in order only. For as long as there is no memory
 * for pieces that come early, or no connection beside the first, it comes as one stream.
 */
import type { WriteSession } from '#lib/objects/object-store.ts';
import type { ImageSource } from '../../datacenters/sources/source.ts';
import type { Service } from '../../service/service.ts';
import { Connections } from './connections.ts';
import type { LiveAttempt } from './live-attempt.ts';
import type { PieceHashes } from './piece-hashes.ts';
import { bringPieces } from './receive-pieces.ts';
import { receiveStream } from './receive-stream.ts';
import { ReorderBoard } from './reorder-board.ts';
import { ReorderMemory } from './reorder-memory.ts';
import type { Suppliers } from './suppliers.ts';

interface OrderedStaging {
  readonly session: WriteSession;
  readonly hashes: PieceHashes;
  readonly suppliers: Suppliers;
}

/** @throws NoPiecesError if the rest has to be fetched as one stream; NoResumeError; what was staged before a failure stays */
export async function receiveInOrder(
  service: Service,
  source: ImageSource,
  live: LiveAttempt,
  { session, hashes, suppliers }: OrderedStaging,
  signal: AbortSignal,
): Promise<void> {
  const { total } = live.own;
  const connections = new Connections(service.config);
  const memory = new ReorderMemory(service.config);
  const isAlone = (): boolean => connections.share === 1;
  const mayBegin = (): boolean => !isAlone() && memory.enter();
  try {
    while (session.size < total) {
      if (!mayBegin()) {
        memory.leave();
        await receiveStream(
          service,
          source,
          live,
          { session, restFrom: (at) => (mayBegin() ? at : undefined) },
          signal,
        );
        continue;
      }
      const board = new ReorderBoard({ session, hashes, total, memory, isOver: isAlone, signal });
      try {
        await bringPieces({ service, live, board, suppliers, connections }, signal);
      } finally {
        await board.end();
      }
    }
  } finally {
    connections.end();
    memory.end();
  }
}
