/** Clients that send one request after the other on connections that they keep, and count what fails. */
import { Pool } from 'undici';

export interface Load {
  /** Requests that were answered with 200. */
  readonly good: number;
  /** What else happened. */
  readonly failures: readonly string[];
  /** Resolves when the requests under way are done. */
  end(): Promise<void>;
}

const CLIENTS = 8;

/** @param path what to ask for */
export function startLoad(url: string, path: string): Load {
  const pool = new Pool(url, { connections: CLIENTS });
  const failures: string[] = [];
  let good = 0;
  let isOver = false;
  const client = async (): Promise<void> => {
    while (!isOver) {
      try {
        const { statusCode, body } = await pool.request({ path, method: 'GET' });
        const text = await body.text();
        if (statusCode === 200) good += 1;
        else failures.push(`${statusCode} ${text}`);
      } catch (error) {
        failures.push(String(error));
      }
    }
  };
  const clients = Array.from({ length: CLIENTS }, client);
  return {
    get good() {
      return good;
    },
    failures,
    async end() {
      isOver = true;
      await Promise.all(clients);
      await pool.close();
    },
  };
}
