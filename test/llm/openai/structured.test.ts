import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { z } from 'zod';
import { isFailure } from '../../../app/errors.ts';
import {
  createStructuredModel,
  type StructuredModel,
  type StructuredModelOptions,
} from '../../../app/llm/openai/structured.ts';
import type { Clock } from '../../../app/llm/retry.ts';
import type { Log } from '../../../app/ops/logger.ts';
import { type Scrubbed, scrub } from '../../../app/privacy/scrub.ts';
import { type ModelDouble, startModelDouble } from '../../doubles/model.ts';

const FRUIT = z.object({
  name: z.string().describe('what it is called'),
  colour: z.enum(['red', 'green']),
  pieces: z.number().int().min(1),
  note: z.string().nullable(),
  places: z.array(z.string()),
});
const SPENT_ON = { conversation: 'twilio:14155238886:15550100123', turn: 'turn-1' };
const APPLE = { name: 'apple', colour: 'red', pieces: 2, note: null, places: ['shop'] };

describe('Structured answers', () => {
  let double: ModelDouble;
  let warnings: string[];
  const models: StructuredModel[] = [];
  beforeEach(async () => {
    double = await startModelDouble();
    warnings = [];
  });
  afterEach(async () => {
    await Promise.all(models.splice(0).map((model) => model.close()));
    await double.close();
  });

  function build(timeoutMs = 30_000, onUsage?: StructuredModelOptions['onUsage']): StructuredModel {
    const model = createStructuredModel({
      apiKey: 'sk-secret',
      baseUrl: double.url,
      model: 'gpt-analysis',
      timeoutMs,
      log: collecting(warnings),
      clock: impatient,
      ...(onUsage && { onUsage }),
    });
    models.push(model);
    return model;
  }

  const ask = (model: StructuredModel, signal?: AbortSignal) =>
    model.ask({
      name: 'fruit',
      schema: FRUIT,
      messages: [
        { role: 'system', content: scrub('You know fruit.') },
        { role: 'user', content: scrub('Which one?') },
      ],
      maxTokens: 300,
      conversation: '14155238886:15550100123',
      spentOn: SPENT_ON,
      ...(signal && { signal }),
    });
  const sent = (index: number) => double.requests[index]?.chat ?? assert.fail(`there was no request ${index}`);
  const says = (index: number) => sent(index).messages.map(({ content }) => String(content));

  test('asks with a strict schema and returns what the server answers', async () => {
    double.queue.push(JSON.stringify(APPLE));
    const { value, attempts, usage } = await ask(build());
    assert.deepEqual(value, APPLE);
    assert.equal(attempts, 1);
    assert.equal(usage.completion, 10);
    assert.deepEqual(sent(0).response_format, {
      type: 'json_schema',
      json_schema: {
        name: 'fruit',
        strict: true,
        schema: {
          $schema: 'http://json-schema.org/draft-07/schema#',
          type: 'object',
          properties: {
            name: { type: 'string', description: 'what it is called' },
            colour: { type: 'string', enum: ['red', 'green'] },
            pieces: { type: 'integer', minimum: 1, maximum: 9007199254740991 },
            note: { type: ['string', 'null'] },
            places: { type: 'array', items: { type: 'string' } },
          },
          required: ['name', 'colour', 'pieces', 'note', 'places'],
          additionalProperties: false,
        },
      },
    });
    assert.equal(sent(0).model, 'gpt-analysis');
    assert.equal(sent(0).store, false);
  });

  test('gives the schema in words to a server that refuses it, and remembers', async () => {
    double.refuses.add('response_format');
    double.queue.push(JSON.stringify(APPLE), JSON.stringify(APPLE));
    const model = build();
    const first = await ask(model);
    assert.deepEqual(first.value, APPLE);
    assert.equal(first.attempts, 2);
    assert.match(says(1)[0] ?? '', /^You know fruit\.[\s\S]*one JSON object[\s\S]*"what it is called"/);
    await ask(model);
    assert.equal(double.requests.length, 3);
    assert.equal('response_format' in sent(2), false);
    assert.equal(warnings.length, 1);
  });

  test('gives the schema in words to a server that takes it and answers something else, and remembers', async () => {
    double.queue.push('An apple is a fruit.', JSON.stringify(APPLE), JSON.stringify(APPLE));
    const model = build();
    assert.deepEqual((await ask(model)).value, APPLE);
    await ask(model);
    assert.equal(double.requests.length, 3);
    assert.equal('response_format' in sent(2), false);
  });

  test('finds the object in a code fence with a sentence around it, and without thoughts', async () => {
    double.refuses.add('response_format');
    double.queue.push(`<think>{"a":1}</think>Here you are:\n\`\`\`json\n${JSON.stringify(APPLE)}\n\`\`\`\nEnjoy!`);
    assert.deepEqual((await ask(build())).value, APPLE);
  });

  test('tells a model that answered wrongly what is wrong, once', async () => {
    double.refuses.add('response_format');
    double.queue.push(JSON.stringify({ ...APPLE, colour: 'blue' }), JSON.stringify(APPLE));
    const { value, attempts, usage } = await ask(build());
    assert.deepEqual(value, APPLE);
    assert.equal(attempts, 3);
    assert.equal(usage.completion, 20);
    const [, , answer, repair] = says(2);
    assert.match(answer ?? '', /"blue"/);
    assert.match(repair ?? '', /colour: Invalid option/);
  });

  test('tells what every request used and whose it is, also of an answer that fails in the end', async () => {
    const used: unknown[] = [];
    const model = build(30_000, (on, { completion }) => used.push([on, completion]));
    double.queue.push(JSON.stringify({ ...APPLE, colour: 'blue' }), JSON.stringify(APPLE));
    await ask(model);
    assert.deepEqual(used.splice(0), [
      [SPENT_ON, 10],
      [SPENT_ON, 10],
    ]);
    double.faults.push({ kind: 'filtered' });
    await assert.rejects(ask(model), { code: 'model.filtered' });
    assert.deepEqual(used, [[SPENT_ON, 10]]);
  });

  test('gives up on a model that answers wrongly twice, and does not believe that it lacks schemas', async () => {
    double.queue.push('nonsense', '{"name":1}', '[]');
    const model = build();
    await assert.rejects(ask(model), (error) => isFailure(error) && error.code === 'model.empty' && error.retryable);
    double.queue.push(JSON.stringify(APPLE));
    await ask(model);
    assert.ok('response_format' in sent(3));
  });

  test('does not take a refusal for data', async () => {
    double.faults.push({ kind: 'refusal', text: 'I cannot help with that.' });
    await assert.rejects(ask(build()), (error) => isFailure(error) && error.code === 'model.filtered');
    assert.equal(double.requests.length, 1);
  });

  test('gives an answer that was cut more room', async () => {
    double.faults.push({ kind: 'length' });
    double.queue.push(JSON.stringify(APPLE));
    assert.deepEqual((await ask(build())).value, APPLE);
    assert.deepEqual([sent(0).max_completion_tokens, sent(1).max_completion_tokens], [300, 900]);
  });

  test('gives up on an answer that is cut also with more room', async () => {
    double.faults.push({ kind: 'length' }, { kind: 'length' });
    await assert.rejects(ask(build()), (error) => isFailure(error) && error.code === 'model.empty');
    assert.equal(double.requests.length, 2);
  });

  test('tries again what is worth it, and counts it', async () => {
    double.faults.push({ kind: 'status', status: 500 }, { kind: 'rate-limited' });
    double.queue.push(JSON.stringify(APPLE));
    assert.equal((await ask(build())).attempts, 3);
  });

  test('does not try again with a wrong key', async () => {
    double.faults.push({ kind: 'status', status: 401 });
    await assert.rejects(ask(build()), (error) => isFailure(error) && error.code === 'model.credentials');
    assert.equal(double.requests.length, 1);
  });

  test('ends at its deadline', async () => {
    double.faults.push({ kind: 'hang' });
    await assert.rejects(ask(build(50)), (error) => isFailure(error) && error.code === 'model.timeout');
  });

  test('ends when nobody wants the answer any more', async () => {
    double.faults.push({ kind: 'hang' });
    const ending = new AbortController();
    const asking = ask(build(), ending.signal);
    ending.abort(new Error('enough'));
    await assert.rejects(asking, /enough/);
  });

  test('leaves out other parameters that the server refuses', async () => {
    double.refuses.add('store');
    double.queue.push(JSON.stringify(APPLE));
    assert.deepEqual((await ask(build())).value, APPLE);
    assert.equal('store' in sent(1), false);
    assert.ok('response_format' in sent(1));
  });

  test('lets no provider address or id in or out, not even an escaped one', async () => {
    const sid = `MM${'0123456789abcdef'.repeat(2)}`;
    double.queue.push(
      JSON.stringify({
        ...APPLE,
        name: `see https://api.twilio.com/x and ${sid}`,
        places: ['api.twilio.com'],
      }).replaceAll('twilio.com', 'twilio\\u002ecom'),
    );
    const model = build();
    const { value } = await model.ask({
      name: 'fruit',
      schema: FRUIT,
      messages: [{ role: 'user', content: `it is at api.twilio.com/y` as Scrubbed }], // somebody forgot to scrub
      maxTokens: 300,
      conversation: '1:2',
    });
    assert.equal(value.name, 'see [MEDIA_CONTENT] and [MEDIA_CONTENT]');
    assert.deepEqual(value.places, ['[MEDIA_CONTENT]']);
    assert.deepEqual(says(0), ['it is at [MEDIA_CONTENT]']);
  });
});

/** Waits for nothing, so that retries cost no time. */
const impatient: Clock = { now: () => performance.now(), sleep: async () => {} };

function collecting(warnings: string[]): Log {
  const log: Log = {
    debug() {},
    info() {},
    warn: (message) => void warnings.push(message),
    error() {},
    child: () => log,
  };
  return log;
}
