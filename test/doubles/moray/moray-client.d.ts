/** What only tests use of moray 4. */
declare module 'moray' {
  interface Client {
    putObject(bucket: string, key: string, value: object, options: object, done: Done): void;
    delObject(bucket: string, key: string, options: object, done: Done): void;
    updateObjects(bucket: string, fields: object, filter: string, options: object, done: Done): void;
    deleteMany(bucket: string, filter: string, options: object, done: Done): void;
    listBuckets(options: object, done: Done): void;
    delBucket(name: string, options: object, done: Done): void;
  }
}
