/** Media types, compared as such: case and parameters say nothing about which one it is. */
import { MIMEType } from 'node:util';

/** `image/png` of `IMAGE/PNG; charset=binary`; undefined when there is none, or nothing that could be one. */
export function mediaType(header: string | undefined): string | undefined {
  if (header === undefined) return undefined;
  try {
    return new MIMEType(header).essence;
  } catch {
    return undefined;
  }
}

export function isJson(type: string): boolean {
  return type === 'application/json' || type.endsWith('+json');
}

/** Whether an Accept header names the type itself; ranges such as `*` + `/*` ask for nothing in particular. */
export function accepts(header: string | undefined, type: string): boolean {
  return (header?.split(',') ?? []).some((part) => {
    try {
      const { essence, params } = new MIMEType(part);
      return essence === type && Number(params.get('q') ?? 1) !== 0;
    } catch {
      return false;
    }
  });
}
