/** The double of S3 as a process of its own, where there is no gateway: it prints how it is reached. */
import { startS3Double } from '../../doubles/s3/server.ts';

const { endpoint, bucketName: bucket, credentials } = await startS3Double();
process.stdout.write(`${JSON.stringify({ endpoint, region: 'us-east-1', bucket, credentials, pathStyle: true })}\n`);
process.on('SIGTERM', () => process.exit(0));
