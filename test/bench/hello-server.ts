// The least a Fastify can do.
import { fastify } from 'fastify';

const app = fastify();
app.get(
  '/bench',
  { schema: { response: { 200: { type: 'object', properties: { hello: { type: 'string' } } } } } },
  () => ({ hello: 'world' }),
);
process.stdout.write(`${await app.listen({ host: '127.0.0.1', port: 0 })}\n`);
