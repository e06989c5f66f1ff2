/** Loaded before the program, with `--expose-gc`: collects garbage whenever somebody looks at the figures, so that they mean something. */
import { createServer } from 'node:http';

createServer((_request, response) => {
  globalThis.gc?.();
  response.end(JSON.stringify({ heapUsed: process.memoryUsage().heapUsed, rss: process.memoryUsage().rss }));
})
  .listen(Number(process.env.COLLECT_PORT), '127.0.0.1')
  .unref();
