/** What the listeners of IMGAPI have in common. */
import type { AnyCall, ListenerOptions } from '../http-kit/listener-options.ts';
import type { Config } from '../service/config/config.ts';
import { Call } from './call.ts';
import { imgapiErrors } from './errors.ts';
import { apiVersion } from './versions.ts';

export const IMGAPI = { call: Call, versions: apiVersion, errors: imgapiErrors } as const;

/** Where nobody has to prove who they are, only pages by the service's own name may change anything. */
export function pagesOf({ authType, publicUrl }: Config): Pick<ListenerOptions<AnyCall>, 'pageHosts'> {
  if (authType !== 'none') return {};
  return { pageHosts: publicUrl === undefined ? [] : [new URL(publicUrl).hostname] };
}
