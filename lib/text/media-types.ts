/** Media types, compared without regard to case and parameters. */
import { MIMEType } from 'node:util';

/** `image/png` for `IMAGE/PNG; charset=binary`; undefined if there is none, or it is malformed. */
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

/** Whether an Accept header names the type itself. Wildcards ask for no particular type, so they do not count. */
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
