/** The answer to a request that started a job. */
import type { Service } from '../service/service.ts';
import type { Call, Reply } from './call.ts';

/** Clients ask for the job at the URL in the header, without signing their requests. */
export function jobReply(
  { config }: Service,
  { headers }: Call,
  job: { readonly image: string; readonly uuid: string },
): Reply {
  const host = headers.host ?? `${config.address}:${config.port}`;
  return {
    json: { image_uuid: job.image, job_uuid: job.uuid },
    headers: { 'workflow-api': config.publicUrl ?? `http://${host}` },
  };
}
