/** The service on PostgreSQL: the tests that depend most on what a database does, with nothing else changed. */
process.env['TEST_DATABASE'] = 'postgres';

await import('../../images/contention.test.ts');
await import('../../images/state-machine.test.ts');
await import('../../images/sharing/shares.test.ts');
await import('../../imgapi/list-filters.test.ts');
