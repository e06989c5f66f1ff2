import assert from 'node:assert/strict';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { OpenAI } from 'openai';
import { createModelHttp, type ModelHttp } from '../../app/llm/http.ts';
import { createOpenAiClient } from '../../app/llm/openai/client.ts';
import { type ModelDouble, startModelDouble } from '../doubles/model.ts';

describe('the thin fetch', () => {
  let server: Awaited<ReturnType<typeof startServer>>;
  let http: ModelHttp;
  let answer: RequestListener;
  beforeEach(async () => {
    answer = (_, response) => response.end('{}');
    server = await startServer((request, response) => answer(request, response));
    http = createModelHttp(server.url);
  });
  afterEach(async () => {
    await http.close();
    await server.close();
  });

  test('sends method, path, headers and body, and reads the response', async () => {
    answer = async (request, response) => {
      let body = '';
      for await (const chunk of request) body += chunk;
      response.writeHead(201, { 'content-type': 'application/json', 'X-Request-Id': 'req_1' });
      response.end(JSON.stringify({ method: request.method, url: request.url, a: request.headers['x-a'], body }));
    };
    const response = await http.fetch(`${server.url}/v1/x?y=%C3%A4`, {
      method: 'POST',
      headers: { 'x-a': '1' },
      body: 'é',
    });
    assert.equal(response.status, 201);
    assert.equal(response.ok, true);
    assert.equal(response.headers.get('x-request-id'), 'req_1');
    assert.equal(response.headers.get('x-other'), null);
    assert.deepEqual(await response.json(), { method: 'POST', url: '/v1/x?y=%C3%A4', a: '1', body: 'é' });
  });

  test('puts together a body that comes in pieces, in the middle of a character', async () => {
    answer = (_, response) => {
      const bytes = Buffer.from('"é"');
      response.write(bytes.subarray(0, 2));
      setImmediate(() => response.end(bytes.subarray(2)));
    };
    assert.equal(await (await http.fetch(`${server.url}/`)).json(), 'é');
  });

  test('keeps its connections', async () => {
    const ports = new Set<number | undefined>();
    answer = (request, response) => {
      ports.add(request.socket.remotePort);
      response.end('{}');
    };
    for (let i = 0; i < 20; i++) await http.fetch(`${server.url}/`);
    // undici rests a connection for one turn of the event loop, so that a second one may be opened.
    assert.ok(ports.size <= 2, `${ports.size} connections`);
  });

  test('does not follow a redirect, which would carry the key elsewhere', async () => {
    let asked = 0;
    answer = (_, response) => {
      asked++;
      response.writeHead(307, { location: '/elsewhere' }).end();
    };
    assert.equal((await http.fetch(`${server.url}/`)).status, 307);
    assert.equal(asked, 1);
  });

  test('goes to no other server than its own', async () => {
    await assert.rejects(http.fetch('http://127.0.0.2:1/v1/x'), TypeError);
    await assert.rejects(http.fetch(`${server.url}0/v1/x`), TypeError);
  });

  test('gives up an answer without end', async () => {
    answer = (_, response) => {
      const chunk = Buffer.alloc(1_024 * 1_024);
      const more = () => {
        while (!response.destroyed && response.write(chunk));
      };
      response.on('drain', more);
      more();
    };
    await assert.rejects(http.fetch(`${server.url}/`), /longer than/);
  });

  test('rejects with the reason of its signal, while it waits and while it reads', async () => {
    const reason = new Error('enough');
    await assert.rejects(http.fetch(`${server.url}/`, { signal: AbortSignal.abort(reason) }), reason);
    for (const start of [false, true]) {
      const controller = new AbortController();
      answer = (_, response) => {
        if (start) response.write('{');
        setImmediate(() => controller.abort(reason));
      };
      await assert.rejects(http.fetch(`${server.url}/`, { signal: controller.signal }), reason);
    }
  });

  test('rejects when the connection is cut or cannot be made', async () => {
    answer = (request) => request.socket.destroy();
    await assert.rejects(http.fetch(`${server.url}/`), { code: 'UND_ERR_SOCKET' });
    await server.close();
    await assert.rejects(http.fetch(`${server.url}/`), { code: 'ECONNREFUSED' });
  });
});

describe('a model server', () => {
  let double: ModelDouble;
  beforeEach(async () => {
    double = await startModelDouble({ apiKey: 'key' });
  });
  afterEach(() => double.close());

  test('uploads a voice note', async () => {
    const client = createOpenAiClient({ apiKey: 'key', baseUrl: double.url });
    const bytes = Buffer.from(Array.from({ length: 5_000 }, (_, i) => i % 256));
    const file = new File([bytes], 'voice.ogg', { type: 'audio/ogg' });
    const { text } = await (await client.sdk()).audio.transcriptions.create({
      file,
      model: 'gpt-transcribe',
      language: 'es',
    });
    assert.equal(text, 'Hello from a voice note.');
    const upload = double.requests[0]?.upload;
    assert.equal(upload?.filename, 'voice.ogg');
    assert.equal(upload?.contentType, 'audio/ogg');
    assert.deepEqual(upload?.bytes, bytes);
    assert.deepEqual(upload?.fields, { model: 'gpt-transcribe', language: 'es' });
    await client.close();
  });

  test('refuses with the error of the SDK: status, code, request id and headers', async () => {
    const server = await startServer((_, response) => {
      response.writeHead(429, { 'x-request-id': 'req_7', 'retry-after': '3' });
      response.end(
        JSON.stringify({ error: { message: 'Slow down', code: 'rate_limit_exceeded', param: 'p', type: 't' } }),
      );
    });
    const client = createOpenAiClient({ apiKey: 'key', baseUrl: `${server.url}/v1` });
    await assert.rejects(client.complete({ model: 'm', messages: [] }), (error) => {
      assert.ok(error instanceof OpenAI.RateLimitError);
      const { status, code, param, type, requestID, message } = error;
      assert.deepEqual([status, code, param, type, requestID], [429, 'rate_limit_exceeded', 'p', 't', 'req_7']);
      assert.equal(message, '429 Slow down');
      assert.equal(error.headers.get('retry-after'), '3');
      return true;
    });
    await client.close();
    await server.close();
  });

  test('that answers with a page: the page is the answer, as it is with the SDK', async () => {
    const server = await startServer((_, response) => response.end('<p>hello</p>'));
    const client = createOpenAiClient({ apiKey: 'key', baseUrl: `${server.url}/v1` });
    assert.equal(await client.complete({ model: 'm', messages: [] }), '<p>hello</p>');
    await client.close();
    await server.close();
  });

  for (const ending of ['', '/', '//'])
    test(`takes a base address that ends in "${ending}"`, async () => {
      const client = createOpenAiClient({ apiKey: 'key', baseUrl: double.url.replace('http', 'HTTP') + ending });
      await client.complete({ model: 'm', messages: [{ role: 'user', content: 'Hi' }] });
      await client.listModels();
      assert.equal(double.requests[0]?.path, '/v1/chat/completions');
      await client.close();
    });
});

async function startServer(listener: RequestListener) {
  const server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  // A TCP server has an address of this shape.
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    close: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
