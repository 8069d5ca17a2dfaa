/** Uploads whose bytes the test sends one by one, on a connection of their own. */
import { once } from 'node:events';
import { type ClientRequest, request as httpRequest, type IncomingMessage } from 'node:http';

export interface SlowUpload {
  readonly request: ClientRequest;
  /** Sends bytes and waits until the system has taken them. */
  write(bytes: string | Uint8Array): Promise<void>;
  /** Sends the end and waits for the answer. */
  end(): Promise<{ status: number; code: string | undefined; body: Record<string, unknown> }>;
  /** Waits for an answer that comes before the end. */
  answer(): Promise<{ status: number; code: string | undefined; body: Record<string, unknown> }>;
  /** Cuts the connection. */
  cut(): void;
}

export function slowUpload(url: string, headers: Record<string, string> = {}): SlowUpload {
  const request = httpRequest(url, { method: 'PUT', agent: false, headers });
  const response = once(request, 'response') as Promise<[IncomingMessage]>;
  // A test that cuts the connection awaits no answer.
  response.catch(() => undefined);
  request.on('error', () => undefined);
  const answer = async () => {
    const [message] = await response;
    const parts: Buffer[] = [];
    for await (const part of message) parts.push(part as Buffer);
    request.destroy();
    const body = JSON.parse(Buffer.concat(parts).toString()) as Record<string, unknown>;
    return { status: message.statusCode ?? 0, code: body['code'] as string | undefined, body };
  };
  return {
    request,
    answer,
    async write(bytes) {
      await new Promise((resolve) => request.write(bytes, resolve));
    },
    end() {
      request.end();
      return answer();
    },
    cut: () => void request.destroy(),
  };
}
