/** Bytes. Smaller pieces may share their memory with others, and do not matter. */
const SMALLEST = 16 * 1024;

/** Frees the memory of a piece that shares it with no other, without waiting for the garbage collector. */
export function letGo({ buffer, byteLength }: Uint8Array): void {
  if (byteLength >= SMALLEST && byteLength === buffer.byteLength && buffer instanceof ArrayBuffer) {
    buffer.transfer(0);
  }
}
