/** Smaller pieces may share their memory with others, and are no burden. */
const SMALLEST = 16 * 1024;

/** Frees the memory of a piece that is alone in it, now and not when the garbage collector comes by. */
export function letGo({ buffer, byteLength }: Uint8Array): void {
  if (byteLength >= SMALLEST && byteLength === buffer.byteLength && buffer instanceof ArrayBuffer) {
    buffer.transfer(0);
  }
}
