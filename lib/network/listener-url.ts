/** The host and port in the URL of a server, and the URL of a listener. */

/** The host, without the brackets of an IPv6 address. */
export function bareHost({ hostname }: Pick<URL, 'hostname'>): string {
  return hostname.replace(/^\[|\]$/g, '');
}

export function portOf({ port, protocol }: Pick<URL, 'port' | 'protocol'>): number {
  if (port !== '') return Number(port);
  return protocol === 'https:' ? 443 : 80;
}

/** The URL of a listener without TLS. */
export function listenerUrl(address: string, port: number | string): string {
  return `http://${address.includes(':') ? `[${address}]` : address}:${port}`;
}
