/**
 * The image part of CloudAPI: authenticates accounts by their SSH keys, calls IMGAPI on their behalf, and answers as
 * CloudAPI does. It has no state, so any number of these processes may run side by side.
 */
import type Logger from 'bunyan';
import { ImgapiClient } from '#lib/client/client.ts';
import { type Clock, systemClock } from '#lib/runtime/clock.ts';
import { tokenVerifier } from '#lib/tokens/bearer.ts';
import packageJson from '../../package.json' with { type: 'json' };
import { auditTo } from '../http-kit/audit.ts';
import type { Closing } from '../http-kit/close-server.ts';
import { connectionLimits } from '../http-kit/connection-limits.ts';
import { listen } from '../http-kit/server.ts';
import { listenerRefusal } from '../service/config/listener-refusal.ts';
import { tokenRulesOf } from '../service/config/tokens.ts';
import { accountKeys } from './account-keys.ts';
import { openAccounts } from './accounts.ts';
import { answerHeaders } from './answer-headers.ts';
import { cloudapiAudit } from './audit.ts';
import { authenticate } from './authenticate.ts';
import { Call } from './call.ts';
import { clientAddress } from './client-address.ts';
import type { CloudapiConfig } from './config.ts';
import { cloudapiErrors } from './errors.ts';
import { policies } from './policies.ts';
import { cloudapiRoutes } from './routes.ts';
import type { Cloudapi } from './service.ts';
import { newestAccepted } from './versions.ts';

export interface RunningCloudapi {
  readonly url: string;
  /** Accepts no more connections, lets the requests under way finish, and releases everything. */
  close(closing?: Closing): Promise<void>;
}

export interface StartOptions {
  readonly log: Logger;
  readonly clock?: Clock;
}

const CLOSING: Closing = { patience: 10_000 };

/**
 * Names the version of CloudAPI whose image API this is, and nothing else: clients read a version from it, and tell from
 * that what the server can do.
 */
const SERVER_NAME = 'cloudapi/9.20.0';
const USER_AGENT = `${SERVER_NAME} (imgapi/${packageJson.version})`;

export async function startCloudapi(config: CloudapiConfig, options: StartOptions): Promise<RunningCloudapi> {
  const { log, clock = systemClock } = options;
  const keys = accountKeys(log);
  const accounts = await openAccounts({ config, keys, log, clock });
  const imgapi = new ImgapiClient({ url: config.imgapi.url, userAgent: USER_AGENT });
  const release = async (): Promise<void> => {
    await imgapi.destroy();
    await accounts.close();
  };
  const cloudapi: Cloudapi = {
    ...{ config, imgapi, accounts, keys, clock, log },
    policies: policies(log),
    ...(config.tokens && { tokens: tokenVerifier(tokenRulesOf(config.tokens), clock) }),
    clientAddress: clientAddress(config.trustedProxies),
  };
  try {
    const routes = cloudapiRoutes(cloudapi);
    const listener = await listen(
      {
        ...{ routes, headers: answerHeaders(routes) },
        log,
        serverName: config.serverName ?? SERVER_NAME,
        limits: { json: config.jsonBytes, connections: connectionLimits(config.connections, 'main') },
        ...{ call: Call, versions: newestAccepted, errors: cloudapiErrors },
        authenticate: async (call, { auth }) => (auth === 'none' ? undefined : authenticate(cloudapi, call)),
        onDone: auditTo(log, cloudapiAudit),
      },
      config.address,
      config.port,
    ).catch(listenerRefusal('port', config.address, config.port));
    return {
      url: listener.url,
      async close(closing = CLOSING) {
        await listener.close(closing);
        await release();
      },
    };
  } catch (error) {
    await release();
    throw error;
  }
}
