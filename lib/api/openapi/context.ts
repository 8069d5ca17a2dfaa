/** What all parts of a document share. */
import type { Authentication } from '../operation.ts';
import type { Json, Schemas } from './schemas.ts';

export interface OperationContext {
  readonly schemas: Schemas;
  /** By code. */
  readonly errors: Readonly<Record<string, { readonly status: number; readonly when: string }>>;
  readonly security: Readonly<Record<Authentication, readonly Json[]>>;
}
