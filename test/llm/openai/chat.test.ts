import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { inspect } from 'node:util';
import { isFailure } from '../../../app/errors.ts';
import { createOpenAiModel, type OpenAiModel, type OpenAiModelOptions } from '../../../app/llm/openai/chat.ts';
import type { Clock } from '../../../app/llm/retry.ts';
import type { Log, LogFields } from '../../../app/ops/logger.ts';
import { type Scrubbed, scrub } from '../../../app/privacy/scrub.ts';
import { type ContractFault, describeChatModel, question, rejectsWith } from '../../contracts/chat-model.ts';
import { lastUserText, type ModelDouble, type ModelFault, startModelDouble } from '../../doubles/model.ts';

const MODELS = { answer: 'gpt-answer', summary: 'gpt-summary' };

const FAULTS: Record<ContractFault, ModelFault> = {
  'server-error': { kind: 'status', status: 500 },
  'cut-connection': { kind: 'reset' },
  hang: { kind: 'hang' },
  'wrong-credentials': { kind: 'status', status: 401, code: 'invalid_api_key', message: 'Incorrect key: sk-ab***yz' },
  'no-words': { kind: 'length' },
  'come-back-later': { kind: 'rate-limited', retryAfterSeconds: 120 },
};

describeChatModel('ChatModel over the chat completions protocol', async (timeoutMs) => {
  const double = await startModelDouble();
  const model = createOpenAiModel({ apiKey: 'key', baseUrl: double.url, models: MODELS, timeoutMs, log: silent() });
  return {
    model,
    answerWith: (answer) => {
      double.answer = (request) => answer(lastUserText(request));
    },
    fail: (...faults) => double.faults.push(...faults.map((fault) => FAULTS[fault])),
    asked: () => double.requests.length,
    open: () => double.open(),
    close: async () => {
      await model.close();
      await double.close();
    },
  };
});

describe('OpenAI model', () => {
  let double: ModelDouble;
  let lines: LogLine[];
  let waits: number[];
  const models: OpenAiModel[] = [];
  beforeEach(async () => {
    double = await startModelDouble();
    lines = [];
    waits = [];
  });
  afterEach(async () => {
    await Promise.all(models.splice(0).map((model) => model.close()));
    await double.close();
  });

  function build(overrides: Partial<OpenAiModelOptions> = {}): OpenAiModel {
    const log = recording(lines);
    const model = createOpenAiModel({
      apiKey: 'sk-secret',
      baseUrl: double.url,
      models: MODELS,
      timeoutMs: 30_000,
      log,
      clock: impatientClock(waits),
      ...overrides,
    });
    models.push(model);
    return model;
  }

  const sent = (index = 0) => double.requests[index]?.chat ?? assert.fail(`there was no request ${index}`);

  test('sends what was asked, and nothing that was not configured', async () => {
    await build().answer(question());
    assert.deepEqual(sent(), {
      model: 'gpt-answer',
      messages: [
        { role: 'system', content: 'You are a friendly assistant.' },
        { role: 'user', content: 'When do you open?' },
      ],
      max_completion_tokens: 100,
      store: false,
    });
    assert.equal(double.requests[0]?.headers.authorization, 'Bearer sk-secret');
    assert.equal(double.requests[0]?.path, '/v1/chat/completions');
  });

  test('uses the other model for summaries', async () => {
    await build().answer(question({ purpose: 'summary' }));
    assert.equal(sent().model, 'gpt-summary');
  });

  test('sends effort and temperature when they are configured', async () => {
    await build({ reasoningEffort: 'low', temperature: 0 }).answer(question());
    assert.equal(sent().reasoning_effort, 'low');
    assert.equal(sent().temperature, 0);
  });

  test('sends pictures as parts of a message', async () => {
    const url = 'data:image/jpeg;base64,/9j/';
    const content = [
      { kind: 'text' as const, text: scrub('What is this?') },
      { kind: 'image' as const, url, detail: 'low' as const },
    ];
    await build().answer(question({ messages: [{ role: 'user', content }] }));
    assert.deepEqual(sent().messages, [
      {
        role: 'user',
        content: [
          { type: 'text', text: 'What is this?' },
          { type: 'image_url', image_url: { url, detail: 'low' } },
        ],
      },
    ]);
  });

  test('counts what the provider counted', async () => {
    const body = { choices: [{ message: { content: 'Nine.' }, finish_reason: 'stop' }] };
    const usage = { prompt_tokens: 1200, completion_tokens: 5, prompt_tokens_details: { cached_tokens: 1024 } };
    double.faults.push({ kind: 'body', body: JSON.stringify({ ...body, usage }) });
    double.faults.push({ kind: 'body', body: JSON.stringify(body) });
    const details = { ...usage.prompt_tokens_details, cache_write_tokens: 100 };
    double.faults.push({
      kind: 'body',
      body: JSON.stringify({ ...body, usage: { ...usage, prompt_tokens_details: details } }),
    });
    const model = build();
    const counted = { prompt: 1200, completion: 5, cached: 1024 };
    assert.deepEqual((await model.answer(question())).usage, counted);
    assert.deepEqual((await model.answer(question())).usage, { prompt: 0, completion: 0, cached: 0 });
    assert.deepEqual((await model.answer(question())).usage, { ...counted, cacheWrites: 100 });
  });

  describe('trying again', () => {
    test('waits longer each time, within the limits', async () => {
      for (let i = 0; i < 7; i++) double.faults.push({ kind: 'status', status: 503 });
      const { attempts } = await build({ timeoutMs: 60_000 }).answer(question());
      assert.equal(attempts, 8);
      const longest = [500, 1_000, 2_000, 4_000, 8_000, 8_000, 8_000];
      assert.equal(waits.length, longest.length);
      for (const [i, most] of longest.entries()) {
        const wait = waits[i] ?? 0;
        assert.ok(wait <= most && wait >= most * 0.75, `wait ${i} was ${wait}`);
      }
    });

    test('stays away as long as the server asks, when there is time for it', async () => {
      double.faults.push({ kind: 'rate-limited', retryAfterSeconds: 20 });
      await build({ timeoutMs: 60_000 }).answer(question());
      assert.ok((waits[0] ?? 0) >= 20_000);
    });

    test('understands a Retry-After that is a date or in milliseconds', async () => {
      const date = new Date(Date.now() + 3_600_000).toUTCString();
      double.faults.push({ kind: 'status', status: 429, headers: { 'retry-after': date } });
      await rejectsWith('model.rate_limited', build().answer(question()));
      double.faults.push({ kind: 'status', status: 429, headers: { 'retry-after-ms': '1500' } });
      await build().answer(question());
      assert.ok((waits[0] ?? 0) >= 1_500);
    });

    for (const status of [408, 409, 429, 500, 502, 503, 529])
      test(`tries again after ${status}`, async () => {
        double.faults.push({ kind: 'status', status });
        assert.equal((await build().answer(question())).attempts, 2);
      });

    for (const status of [400, 401, 403, 404, 422])
      test(`does not try again after ${status}`, async () => {
        double.faults.push({ kind: 'status', status });
        await assert.rejects(build().answer(question()));
        assert.equal(double.requests.length, 1);
      });

    test('does as the server says about trying again', async () => {
      double.faults.push({ kind: 'status', status: 500, headers: { 'x-should-retry': 'false' } });
      await rejectsWith('model.unavailable', build().answer(question()));
      assert.equal(double.requests.length, 1);
    });

    test('gives up a body that never ends', async () => {
      double.faults.push({ kind: 'stall' });
      await rejectsWith('model.timeout', build({ timeoutMs: 150 }).answer(question()));
    });
  });

  describe('failures', () => {
    const cases: { fault: ModelFault; code: string; says: RegExp }[] = [
      { fault: { kind: 'status', status: 401 }, code: 'model.credentials', says: /OPENAI_API_KEY/ },
      { fault: { kind: 'status', status: 403 }, code: 'model.credentials', says: /OPENAI_API_KEY/ },
      {
        fault: { kind: 'status', status: 400, body: '[{"error":{"message":"API key not valid."}}]' },
        code: 'model.credentials',
        says: /OPENAI_API_KEY/,
      },
      { fault: { kind: 'quota' }, code: 'model.quota', says: /credit/ },
      { fault: { kind: 'status', status: 402 }, code: 'model.quota', says: /credit/ },
      {
        fault: { kind: 'status', status: 404, code: 'model_not_found', message: 'The model `x` does not exist' },
        code: 'model.request',
        says: /OPENAI_MODEL/,
      },
      {
        fault: { kind: 'status', status: 404, body: '<html>Not found</html>' },
        code: 'model.request',
        says: /OPENAI_BASE_URL/,
      },
      {
        fault: { kind: 'status', status: 301, body: 'Moved', headers: { location: 'https://example.com' } },
        code: 'model.request',
        says: /redirects/,
      },
      {
        fault: { kind: 'status', status: 400, code: 'context_length_exceeded', message: 'Too long' },
        code: 'model.too_long',
        says: /HISTORY_TOKENS/,
      },
      {
        fault: { kind: 'status', status: 422, body: '{"detail":[{"msg":"role is wrong"}]}' },
        code: 'model.request',
        says: /status 422/,
      },
      { fault: { kind: 'status', status: 400, code: 'content_filter' }, code: 'model.filtered', says: /filter/ },
      { fault: { kind: 'filtered' }, code: 'model.filtered', says: /filter/ },
      {
        fault: { kind: 'body', body: '<html>Welcome</html>', contentType: 'text/html' },
        code: 'model.request',
        says: /OPENAI_BASE_URL/,
      },
      { fault: { kind: 'body', body: '{"hello":"world"}' }, code: 'model.request', says: /OPENAI_BASE_URL/ },
      { fault: { kind: 'error-inside', code: 402, message: 'no credit' }, code: 'model.quota', says: /credit/ },
    ];
    for (const { fault, code, says } of cases)
      test(`says ${code} to ${JSON.stringify(fault)}`, async () => {
        double.faults.push(fault);
        await assert.rejects(build().answer(question()), (error) => {
          assert.ok(isFailure(error), String(error));
          assert.equal(error.code, code);
          assert.match(error.message, says);
          assert.doesNotMatch(error.message, /sk-/);
          return true;
        });
        assert.equal(double.requests.length, 1);
      });

    test('repeats nothing of what a server quotes, neither in its sentence nor in a log', async () => {
      const quoted = { detail: [{ loc: ['body', 'messages'], input: 'my PIN is 4711', msg: 'bad: my PIN is 4711' }] };
      for (const fault of [
        { kind: 'status', status: 422, body: JSON.stringify(quoted) },
        { kind: 'status', status: 400, code: 'invalid_prompt', message: 'Cannot parse "my PIN is 4711"' },
        { kind: 'status', status: 400, code: 'my PIN is 4711', message: 'x' },
        { kind: 'status', status: 403, message: 'my PIN is 4711' },
      ] satisfies ModelFault[]) {
        double.faults.push(fault);
        await assert.rejects(build().answer(question()), (error) => {
          assert.doesNotMatch(inspect(error, { depth: 9, showHidden: true }), /4711/);
          return true;
        });
      }
    });

    test('tries again when the error inside an answer is a passing one', async () => {
      double.faults.push({ kind: 'error-inside', code: 502, message: 'upstream' });
      assert.equal((await build().answer(question())).attempts, 2);
    });

    test('tries again after an answer that is no JSON', async () => {
      double.faults.push({ kind: 'body', body: '{"choices": [' });
      assert.equal((await build().answer(question())).attempts, 2);
    });

    test('says that the server cannot be reached, and how it failed', async () => {
      const model = build();
      await double.close();
      await assert.rejects(model.answer(question()), (error) => {
        assert.ok(isFailure(error));
        assert.equal(error.code, 'model.unavailable');
        assert.equal(error.providerCode, 'ECONNREFUSED');
        return true;
      });
      double = await startModelDouble();
    });
  });

  describe('answers without words', () => {
    test('gets room to think after all tokens went into thoughts', async () => {
      double.faults.push({ kind: 'length' });
      const answer = await build().answer(question({ maxTokens: 50 }));
      assert.equal(answer.text, 'You said: When do you open?');
      assert.equal(answer.attempts, 2);
      assert.equal(answer.usage.completion, 20);
      assert.equal(sent(0).max_completion_tokens, 50);
      assert.equal(sent(1).max_completion_tokens, 50 + 8_192);
    });

    test('keeps its room: the next question costs one request', async () => {
      double.faults.push({ kind: 'length' });
      const model = build();
      await model.answer(question({ maxTokens: 50 }));
      await model.answer(question({ maxTokens: 50 }));
      assert.equal(double.requests.length, 3);
      assert.equal(sent(2).max_completion_tokens, 50 + 8_192);
    });

    test('gets less room from a server that has not so much', async () => {
      double.faults.push({ kind: 'length' }, { kind: 'status', status: 400, message: 'max_tokens is too large' });
      const answer = await build().answer(question({ maxTokens: 50 }));
      assert.equal(answer.text, 'You said: When do you open?');
      assert.equal(sent(2).max_completion_tokens, 200);
    });

    test('of a summary: the advice names the settings of summaries', async () => {
      double.faults.push({ kind: 'length' }, { kind: 'length' });
      await assert.rejects(build().answer(question({ purpose: 'summary' })), /OPENAI_SUMMARY_MODEL/);
    });

    test('is asked once more, not for ever', async () => {
      double.faults.push({ kind: 'empty' }, { kind: 'empty' });
      await rejectsWith('model.empty', build().answer(question()));
      assert.equal(double.requests.length, 2);
      assert.equal(sent(1).max_completion_tokens, 100);
    });

    test('may have no choices at all', async () => {
      double.faults.push({ kind: 'body', body: '{"choices":[]}' });
      assert.equal((await build().answer(question())).attempts, 2);
    });
  });

  test('gives a refusal as the answer', async () => {
    double.faults.push({ kind: 'refusal', text: 'I cannot help with that.' });
    assert.equal((await build().answer(question())).text, 'I cannot help with that.');
  });

  test('takes neither a refusal nor the filtered beginning of a summary for a summary', async () => {
    const filtered = { choices: [{ message: { content: 'They asked for' }, finish_reason: 'content_filter' }] };
    for (const fault of [
      { kind: 'refusal', text: 'I cannot help with that.' },
      { kind: 'body', body: JSON.stringify(filtered) },
    ] satisfies ModelFault[]) {
      double.faults.push(fault);
      await rejectsWith('model.filtered', build().answer({ ...question(), purpose: 'summary' }));
    }
  });

  for (const [status, message] of [
    [400, 'System role not supported'],
    [400, 'Developer instruction is not enabled for models/gemma-3-27b-it'],
    [422, 'This model does not support system messages'],
    [400, "Invalid role: 'system'"],
    [500, 'Jinja Exception: System role not supported'],
  ] as const)
    test(`puts the instructions in front of the first message for a server that says: ${message}`, async () => {
      double.refuseWith = ({ messages }) =>
        messages[0]?.role === 'system' ? { kind: 'status', status, message } : undefined;
      const model = build();
      const messages = [
        { role: 'system' as const, content: scrub('Be kind.') },
        { role: 'user' as const, content: scrub('Hello') },
      ];
      try {
        await model.answer({ ...question(), messages });
        await model.answer({ ...question(), messages });
      } finally {
        double.refuseWith = undefined;
      }
      assert.equal(double.requests.length, 3, 'it is remembered');
      assert.deepEqual(double.requests.at(-1)?.chat?.messages, [{ role: 'user', content: 'Be kind.\n\nHello' }]);
    });

  test('asks again when nothing can be seen in an answer', async () => {
    const invisible = { choices: [{ message: { content: '\u200b\u2060' }, finish_reason: 'stop' }] };
    double.faults.push({ kind: 'body', body: JSON.stringify(invisible) });
    assert.equal((await build().answer(question())).attempts, 2);
  });

  test('shows that a filter stopped an answer', async () => {
    const filtered = { choices: [{ message: { content: 'We open at nine and' }, finish_reason: 'content_filter' }] };
    double.faults.push({ kind: 'body', body: JSON.stringify(filtered) });
    const { text, complete } = await build().answer(question());
    assert.match(text, /^We open at nine.* …$/);
    assert.equal(complete, false);
  });

  test('reads an answer in parts, and leaves thoughts out', async () => {
    const parts = [
      { type: 'text', text: 'We open ' },
      { type: 'text', text: 'at nine.' },
    ];
    const answers = [parts, '<think>When did they say?\n</think>\n\nAt nine.'];
    for (const content of answers)
      double.faults.push({
        kind: 'body',
        body: JSON.stringify({ choices: [{ message: { content }, finish_reason: 'stop' }] }),
      });
    const model = build();
    assert.equal((await model.answer(question())).text, 'We open at nine.');
    assert.equal((await model.answer(question())).text, 'At nine.');
  });

  describe('an answer that reached its limit', () => {
    const cut = (content: string): ModelFault => ({
      kind: 'body',
      body: JSON.stringify({ choices: [{ message: { content }, finish_reason: 'length' }] }),
    });

    test('is continued once, from its last whole word on', async () => {
      double.faults.push(cut('We open at ni'));
      double.queue.push('nine, every day.');
      const answer = await build().answer(question());
      assert.deepEqual([answer.text, answer.complete, answer.attempts], ['We open at nine, every day.', true, 2]);
      const [begun, goOn] = sent(1).messages.slice(-2);
      assert.deepEqual(begun, { role: 'assistant', content: 'We open at' });
      assert.match(String(goOn?.content), /Continue it/);
    });

    test('is continued without a space in a language that has none', async () => {
      double.faults.push(cut('我们九点'));
      double.queue.push('开门。');
      assert.equal((await build().answer(question())).text, '我们九点开门。');
    });

    test('twice says so by an ellipsis', async () => {
      double.faults.push(cut('We open at'), cut('nine, and we clo'));
      const answer = await build().answer(question());
      assert.deepEqual([answer.text, answer.complete], ['We open nine, and we …', false]);
    });

    test('is sent as far as it goes when the rest cannot be had', async () => {
      double.faults.push(cut('We open at nine and'), { kind: 'status', status: 400 });
      assert.equal((await build().answer(question())).text, 'We open at nine …');
    });

    test('is not continued when it is a summary: the notes are cut anyway', async () => {
      double.faults.push(cut('They talked'));
      const answer = await build().answer(question({ purpose: 'summary' }));
      assert.deepEqual([answer.text, double.requests.length], ['They talked', 1]);
    });
  });

  test('tells what every request used and whose it is, also of an answer that fails in the end', async () => {
    const used: number[] = [];
    const spentOn = { conversation: 'twilio:14155238886:15550100123', turn: 'turn-1' };
    const model = build({
      onUsage(request, { completion }) {
        assert.deepEqual([request.purpose, request.spentOn], ['answer', spentOn]);
        used.push(completion);
      },
    });
    double.faults.push({ kind: 'length' }, { kind: 'length' });
    await assert.rejects(model.answer(question({ spentOn })));
    assert.deepEqual(used.splice(0), [10, 10]);
    double.faults.push({ kind: 'filtered' });
    await assert.rejects(model.answer(question({ spentOn })), { code: 'model.filtered' });
    assert.deepEqual(used.splice(0), [10]);
    double.faults.push({ kind: 'status', status: 503 }, { kind: 'error-inside', code: 502, message: 'no' });
    await model.answer(question({ spentOn }));
    assert.deepEqual(used, [10], 'what is no completion used nothing');
  });

  describe('words of servers about what is said, not how', () => {
    const refusals: [status: number, code: string, message: string][] = [
      [400, 'content_filter', 'The response was filtered'],
      [400, 'data_inspection_failed', 'Input data may contain inappropriate content.'],
      [400, 'invalid_request_error', 'Content Exists Risk'],
      [400, 'invalid_prompt', 'Invalid prompt: your prompt was flagged as potentially violating our usage policy.'],
      [400, '1301', 'contentFilter: 系统检测到输入或生成内容可能包含不安全或敏感内容'],
      [400, 'content_policy_violation', 'x'],
      [403, 'moderation', 'Your input was flagged'],
      [422, 'x', 'The request was rejected because it was considered high risk'],
      [451, 'x', 'Blocked due to safety settings'],
      [400, 'BadRequestError', "litellm.ContentPolicyViolationError: violates the provider's policies"],
    ];
    for (const [status, code, message] of refusals)
      test(`${status} ${code}: ${message}`, async () => {
        double.faults.push({ kind: 'status', status, code, message });
        await rejectsWith('model.filtered', build().answer(question()));
      });

    for (const [status, code, message] of [
      [400, 'invalid_request_error', "Invalid type for 'messages[0].content'"],
      [404, 'model_not_found', 'The model `gpt-x` does not exist'],
    ] as const)
      test(`but not ${status} ${code}: ${message}`, async () => {
        double.faults.push({ kind: 'status', status, code, message });
        await rejectsWith('model.request', build().answer(question()));
      });

    for (const [status, code, message] of [
      [400, 'context_length_exceeded', "This model's maximum context length is 4096 tokens"],
      [400, 'exceed_context_size_error', 'the request exceeds the available context size'],
      [413, undefined, 'Payload Too Large'],
      [429, 'rate_limit_exceeded', 'Request too large for this model'],
    ] as const)
      test(`nor ${status} ${code}: ${message}`, async () => {
        double.faults.push({ kind: 'status', status, ...(code ? { code } : {}), message });
        await rejectsWith('model.too_long', build().answer(question()));
      });

    test('a finish reason of a gateway, without words', async () => {
      const body = JSON.stringify({ choices: [{ message: { content: '' }, finish_reason: 'PROHIBITED_CONTENT' }] });
      double.faults.push({ kind: 'body', body });
      await rejectsWith('model.filtered', build().answer(question()));
    });
  });

  describe('servers that know fewer parameters', () => {
    test('are asked again at once without what they refuse, and never with it again', async () => {
      for (const name of ['max_completion_tokens', 'store', 'temperature', 'reasoning_effort'])
        double.refuses.add(name);
      const model = build({ temperature: 0.2, reasoningEffort: 'low' });
      const first = await model.answer(question());
      assert.equal(first.attempts, 5);
      assert.deepEqual(waits, []);
      const second = await model.answer(question());
      assert.equal(second.attempts, 1);
      const { messages, ...rest } = sent(5);
      assert.deepEqual(rest, { model: 'gpt-answer', max_tokens: 100 });
      assert.equal(messages.length, 2);
      assert.equal(lines.filter(({ level }) => level === 'warn').length, 1);
    });

    for (const [status, body] of [
      [422, '{"detail":[{"type":"extra_forbidden","loc":["body","store"],"msg":"Extra inputs are not permitted"}]}'],
      [400, '[{"error":{"message":"Unknown name \\"store\\": Cannot find field."}}]'],
    ] as const)
      test(`may say so in their own way: ${body}`, async () => {
        double.faults.push({ kind: 'status', status, body });
        assert.equal((await build().answer(question())).attempts, 2);
        assert.equal('store' in sent(0), true);
        assert.equal('store' in sent(1), false);
      });

    test('lose a parameter only when the request works without it', async () => {
      const tooLarge = { kind: 'status', status: 400, message: 'max_completion_tokens is too large: 100' } as const;
      double.faults.push(tooLarge, { kind: 'status', status: 400, message: "'max_tokens' is not supported" });
      const model = build();
      await rejectsWith('model.request', model.answer(question()));
      await model.answer(question());
      assert.equal(sent(2).max_completion_tokens, 100);
    });
  });

  describe('the last look', () => {
    const leak = 'https://api.twilio.com/2010-04-01/Accounts/AC00000000000000000000000000000000/Media/x';

    test('says so when the messages are clean', async () => {
      await build().answer(question());
      assert.deepEqual(
        lines.map(({ level, message }) => [level, message]),
        [['info', 'No Twilio URLs found in the final messages']],
      );
    });

    test('counts what is left, takes it out and says so', async () => {
      // A text that came around the border, which the types forbid.
      const dirty = `Look: ${leak}` as Scrubbed;
      const messages = [
        { role: 'system' as const, content: dirty },
        { role: 'user' as const, content: [{ kind: 'text' as const, text: dirty }] },
      ];
      await build().answer(question({ messages }));
      assert.doesNotMatch(JSON.stringify(sent()), /twilio|2010-04-01/);
      assert.match(JSON.stringify(sent()), /Look: /);
      const line = lines.find(({ level }) => level === 'error');
      assert.equal(line?.fields?.count, 2);
    });
  });

  describe('ping', () => {
    test('asks for the models, not for an answer', async () => {
      await build().ping();
      assert.equal(double.requests.length, 0);
    });

    for (const status of [404, 405, 429])
      test(`is content with ${status}`, async () => {
        double.modelsStatus = status;
        await assert.doesNotReject(build().ping());
      });

    test('does not try twice', async () => {
      double.modelsStatus = 500;
      await rejectsWith('model.unavailable', build().ping());
      assert.deepEqual(waits, []);
    });

    test('tells wrong credentials from a server that is down', async () => {
      double.modelsStatus = 401;
      await rejectsWith('model.credentials', build().ping());
    });

    test('ends with its signal', async () => {
      await assert.rejects(build().ping(AbortSignal.abort(new Error('enough'))), { message: 'enough' });
    });
  });
});

interface LogLine {
  level: string;
  message: string;
  fields: LogFields | undefined;
}

function recording(lines: LogLine[]): Log {
  const at = (level: string) => (message: string, fields?: LogFields) => {
    lines.push({ level, message, fields });
  };
  const log: Log = { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error'), child: () => log };
  return log;
}

function silent(): Log {
  return recording([]);
}

/** Keeps the waits instead of waiting, and counts them as time that passed. */
function impatientClock(waits: number[]): Clock {
  let slept = 0;
  return {
    now: () => performance.now() + slept,
    async sleep(ms, signal) {
      signal?.throwIfAborted();
      waits.push(ms);
      slept += ms;
    },
  };
}
