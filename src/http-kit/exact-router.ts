/**
 * restify's router, except that it takes the path as it was sent, but for repeated slashes. restify builds a URL of Host and target and reads the
 * path from that, which resolves dots and lets a Host with a slash in it choose the route.
 */
import type { IncomingMessage } from 'node:http';
import type { RestifyRequest, RestifyResponse } from 'restify';
import Router, { type RoutedTo, type RouterOptions } from 'restify/lib/router.js';
import RouterRegistry from 'restify/lib/routerRegistryRadix.js';
import { METHODS } from './node-http.ts';
import { RequestError } from './request-error.ts';
import { pathOf } from './request-head.ts';

export class ExactRouter extends Router {
  readonly #registry: RouterRegistry;

  constructor(options: RouterOptions) {
    const registry = new RouterRegistry(options);
    super({ ...options, registry });
    this.#registry = registry;
  }

  /** The route of a request, and the variable parts of its path; undefined if there is none. */
  find(request: IncomingMessage): Pick<RoutedTo, 'route' | 'params'> | undefined {
    return this.#registry.lookup(request.method ?? '', routed(request.url ?? ''));
  }

  override lookup(request: RestifyRequest): RoutedTo['handler'] | undefined {
    const found = this.#registry.lookup(request.method ?? '', routed(request.url ?? ''));
    if (!found) return undefined;
    Object.assign(request, { params: found.params, route: found.route });
    return found.handler;
  }

  /** 404 ResourceNotFound, or 405 MethodNotAllowedError with the methods that the path allows. */
  override defaultRoute(request: RestifyRequest, _response: RestifyResponse, next: (error: Error) => void): void {
    const { method = '', url = '' } = request;
    const path = routed(url);
    const allowed = path === '*' ? SERVED : METHODS.filter((other) => this.#registry.lookup(other, path));
    if (allowed.length === 0) {
      next(new RequestError('ResourceNotFound', `${path} does not exist`));
      return;
    }
    const headers = { Allow: allowed.join(', ') };
    next(new RequestError('MethodNotAllowedError', `${method} is not allowed on ${path}`, { headers }));
  }
}

/** The path by which routes are found: `//images` is `/images`, as it always was. */
function routed(target: string): string {
  const path = pathOf(target);
  return path.includes('//') ? path.replace(/\/{2,}/g, '/') : path;
}

/** Methods of the server as a whole, which `OPTIONS *` asks for. */
const SERVED: readonly string[] = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'];
