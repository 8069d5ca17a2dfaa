/**
 * Whether an error of node's is that there was no connection, so that certainly nothing was sent. Where a name has several
 * addresses, all were tried.
 */
export function isOfConnecting(cause: unknown): boolean {
  if (cause instanceof AggregateError) return cause.errors.length > 0 && cause.errors.every(isOfConnecting);
  const { syscall } = (cause ?? {}) as NodeJS.ErrnoException;
  return syscall === 'connect' || syscall === 'getaddrinfo';
}
