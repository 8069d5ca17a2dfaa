/**
 * One IMGAPI process: opens the stores, starts the listeners, the copy worker and the background tasks, and closes
 * everything in reverse order. `main.ts` runs it from a configuration file; tests run it in their own process.
 */
import { join } from 'node:path';
import type Logger from 'bunyan';
import type { Clock } from '#lib/runtime/clock.ts';
import { startFanOuts } from './copies/fan-out/carry.ts';
import { startCopyWorker } from './copies/transfer/worker.ts';
import { linkAuthentication } from './datacenters/links/authenticate.ts';
import { auditTo } from './http-kit/audit.ts';
import type { Closing } from './http-kit/close-server.ts';
import { connectionLimits, type ListenerKind } from './http-kit/connection-limits.ts';
import type { Done } from './http-kit/listener-options.ts';
import { listen } from './http-kit/server.ts';
import { startMoves } from './images/moving/moves.ts';
import { imgapiAudit } from './imgapi/audit.ts';
import { openAuthKeys } from './imgapi/auth-keys.ts';
import { authenticator } from './imgapi/authenticate.ts';
import type { Call } from './imgapi/call.ts';
import { IMGAPI, pagesOf } from './imgapi/listener.ts';
import { linkListenerRoutes, mainRoutes } from './imgapi/routes.ts';
import { startImageMaker } from './machines/image-maker.ts';
import { runTasks } from './maintenance/tasks/runner.ts';
import { serviceTasks } from './maintenance/tasks/table.ts';
import { openService } from './open-service.ts';
import type { ProcessMetrics } from './process-metrics.ts';
import type { Config } from './service/config/config.ts';
import { listenerRefusal } from './service/config/listener-refusal.ts';
import { noteListening } from './service/config/listening.ts';
import { refusal } from './service/data-folder.ts';
import type { OpenObjects } from './service/open-storages.ts';
import type { Service } from './service/service.ts';
import type { FleetMember } from './service/supervisor/member.ts';

export interface Imgapi {
  /** URL of the main port. */
  readonly url: string;
  /** URL of the listener for other datacenters, if there is one. */
  readonly linksUrl: string | undefined;
  readonly metricsUrl: string | undefined;
  readonly service: Service;
  /** Takes the keys of a new configuration, and those in files, without a restart. */
  takeKeys(authKeys: Config['authKeys']): Promise<void>;
  /** Accepts no more connections, lets the requests under way finish, and releases everything. */
  close(closing?: Closing): Promise<void>;
}

export interface StartOptions {
  readonly log: Logger;
  readonly clock?: Clock;
  /** See `fault-points.ts`. */
  readonly fault?: string | undefined;
  /** Given by tests only: opens the object stores. */
  readonly openObjects?: OpenObjects | undefined;
  /** Given to one of several workers: the metrics are those of all. */
  readonly fleet?: FleetMember | undefined;
}

const CLOSING: Closing = { patience: 10_000 };

export async function startImgapi(config: Config, options: StartOptions): Promise<Imgapi> {
  const { log } = options;
  // Closed in reverse order, also if a later step fails.
  const opened: (() => Promise<unknown>)[] = [];
  const closeAll = async (): Promise<void> => {
    for (const close of opened.reverse()) {
      await close().catch((error: unknown) => log.error({ err: error }, 'closing failed'));
    }
  };
  try {
    const metrics = config.metrics && (await import('./process-metrics.ts')).processMetrics(metricLabels(config));
    const service = await openService(config, { ...options, metrics: metrics?.stores }, opened);
    const worker = startCopyWorker(service, metrics?.copies());
    // They close together: while one waits for its last request, none accepts new ones, and nobody claims new work.
    const fronts: ((closing: Closing) => Promise<unknown>)[] = [() => worker.stop()];
    let closing = CLOSING;
    opened.push(() => Promise.all(fronts.map((close) => close(closing))));
    const moves = startMoves(service);
    fronts.push(async () => moves.stop());
    const maker = startImageMaker(service);
    fronts.push(() => maker.stop());
    const fanOuts = startFanOuts(service);
    fronts.push(() => fanOuts.stop());
    const authKeys = await openAuthKeys(service);
    opened.push(async () => authKeys.close());
    const common = {
      log,
      serverName: config.serverName,
      ...IMGAPI,
      onDone: observer(log, metrics),
    };
    const settled = () => service.store.settled();
    const connections = (kind: ListenerKind) => connectionLimits(config.connections, kind);
    const limits = (kind: ListenerKind) => ({ json: config.limits.jsonBytes, connections: connections(kind) });

    const text = metrics?.text(service, options.fleet);
    const main = await listen(
      {
        ...common,
        routes: mainRoutes(service, authKeys, { worker, moves, maker, fanOuts, metrics: text }),
        authenticate: authenticator(service, authKeys),
        limits: limits('main'),
        lasting: { settled, of: 'writes' },
        ...pagesOf(config),
      },
      config.address,
      config.port,
    ).catch(listenerRefusal('port', config.address, config.port));
    fronts.push((terms) => main.close(terms));
    opened.push(
      await noteListening(config.dataDir, main.url).catch(refusal(`${join(config.dataDir, 'run')} cannot be written`)),
    );
    service.ownAddresses.add(main.url);
    const links =
      config.links.port === undefined
        ? undefined
        : await listen(
            {
              ...common,
              routes: linkListenerRoutes(service, worker),
              authenticate: linkAuthentication(service),
              limits: limits('links'),
              // The other datacenter acts on what it is told: it may delete what is here now.
              lasting: { settled, of: 'all' },
            },
            config.links.address,
            config.links.port,
          ).catch(listenerRefusal('links.port', config.links.address, config.links.port));
    if (links) {
      fronts.push((terms) => links.close(terms));
      service.ownAddresses.add(links.url);
    }
    const metricsListener =
      metrics && text && config.metrics
        ? await metrics
            .listen(
              text,
              { log, serverName: config.serverName, connections: connections('metrics') },
              config.metrics.address,
              config.metrics.port,
            )
            .catch(listenerRefusal('metrics.port', config.metrics.address, config.metrics.port))
        : undefined;
    if (metricsListener) {
      fronts.push((terms) => metricsListener.close(terms));
      service.ownAddresses.add(metricsListener.url);
    }
    const tasks = runTasks(
      { ...service, leaseSeconds: config.tasks.leaseSeconds },
      serviceTasks(service, metrics?.tasks()),
    );
    fronts.push(() => tasks.stop());
    return {
      url: main.url,
      linksUrl: links?.url,
      metricsUrl: metricsListener && `${metricsListener.url}/metrics`,
      service,
      takeKeys: (given) => authKeys.configure(given),
      async close(given = CLOSING) {
        closing = given;
        await closeAll();
      },
    };
  } catch (error) {
    await closeAll();
    throw error;
  }
}

function observer(log: Logger, metrics: ProcessMetrics | undefined): (done: Done<Call>) => void {
  const audit = auditTo(log, imgapiAudit);
  return (done) => {
    audit(done);
    metrics?.record(done);
  };
}

function metricLabels(config: Config): Record<string, string> {
  const { datacenterName: datacenter, instanceUuid: instance, serverUuid: server, serviceName: service } = config;
  const labels = { datacenter, instance, zonename: instance, server, service };
  return Object.fromEntries(
    Object.entries(labels).filter((entry): entry is [string, string] => entry[1] !== undefined),
  );
}
