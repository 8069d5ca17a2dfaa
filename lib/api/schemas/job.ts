/** Imports in the form of the workflow service, which is where older clients look for them. */
import { Type } from 'typebox';
import { anything, date, oneOf, uuid, type ValueOf } from './build.ts';

export const JOB_EXECUTIONS = ['queued', 'running', 'succeeded', 'failed', 'canceled'] as const;

export const JobResult = Type.Object(
  {
    name: Type.String(),
    result: Type.String({ description: '`OK`, or empty on failure.' }),
    error: Type.Union([Type.Literal(''), Type.Object({ code: Type.String(), message: Type.String() })], {
      description: 'Empty on success.',
    }),
    started_at: date(),
    finished_at: date(),
  },
  { description: 'One for each image, and a last one for the whole job.' },
);
export type JobResult = ValueOf<typeof JobResult>;

export const Job = Type.Object(
  {
    uuid: uuid(),
    name: Type.String(),
    image_uuid: uuid(),
    execution: oneOf(JOB_EXECUTIONS),
    params: anything('The parameters of the request.'),
    chain_results: Type.Array(JobResult, { description: 'Empty until the end; the last one says how the job ended.' }),
    created_at: date(),
    started_at: Type.Optional(date()),
    finished_at: Type.Optional(date()),
  },
  { description: 'An order as a job of the workflow service.' },
);
export type Job = ValueOf<typeof Job>;

export const JobStarted = Type.Object(
  { image_uuid: uuid(), job_uuid: uuid() },
  { description: 'A job that runs in the background. The `workflow-api` header says where to ask for it.' },
);
export type JobStarted = ValueOf<typeof JobStarted>;
