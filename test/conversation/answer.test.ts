import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createAsker, type Prompt } from '../../app/conversation/answer.ts';
import { Failure, type FailureCode } from '../../app/errors.ts';
import type { ChatModel, ModelMessage, ModelRequest } from '../../app/llm/model.ts';
import { createLogger } from '../../app/ops/logger.ts';
import { scrub } from '../../app/privacy/scrub.ts';

const ASKING = { contact: '15550100111', conversation: 'twilio:14155238886:15550100111', turn: 'turn' };
const log = createLogger({ level: 'error', format: 'json', write: () => {} });
const ASKER = { maxReplyTokens: 100, failureReply: 'sorry', handoffReply: scrub('the team comes'), webhookMs: 12_000 };
const said = (role: ModelMessage['role'], text: string): ModelMessage => ({ role, content: scrub(text) });
const ALONE = [said('system', 'instructions'), said('user', 'newest')];
const PROMPT: Prompt = {
  messages: [said('system', 'instructions'), said('user', 'old'), said('assistant', 'answer'), said('user', 'newest')],
  fresh: ALONE,
  newest: null,
};

/** Asks a model that refuses every prompt with the old message in it. */
async function askRefused(code: FailureCode, providerStatus: number | undefined, providerCode?: string) {
  const requests: ModelRequest[] = [];
  const model = {
    name: 'test',
    ping: async () => {},
    async answer(request: ModelRequest) {
      requests.push(request);
      if (request.messages.length > 2) throw new Failure(code, 'refused', { providerStatus, providerCode });
      return { text: scrub('answered'), complete: true, usage: { prompt: 1, completion: 1, cached: 0 }, attempts: 1 };
    },
  } satisfies ChatModel;
  const asker = createAsker({ ...ASKER, model });
  return { answered: await asker.ask(ASKING, PROMPT, new AbortController().signal, log), requests };
}

for (const [code, status, hides] of [
  ['model.filtered', 400, true],
  ['model.filtered', undefined, true],
  ['model.request', 400, true],
  ['model.request', 422, true],
  ['model.too_long', 413, false],
  ['model.unavailable', 500, false],
] as const)
  test(`${code}, ${status}: what is new is answered alone`, async () => {
    const { answered, requests } = await askRefused(code, status);
    assert.equal(answered.kind === 'answer' && answered.text, 'answered');
    assert.equal(answered.kind === 'answer' && answered.refused, hides ? 'history' : null, 'a refusal hides');
    assert.deepEqual(requests.at(-1)?.messages, ALONE);
    assert.equal(requests.length, 2);
  });

test('a server that fails is asked in the other way once, without further tries', async () => {
  const { requests } = await askRefused('model.unavailable', 500);
  assert.equal(requests.at(-1)?.retryForMs, 0);
});

for (const [code, status, providerCode] of [
  ['model.request', 404, 'model_not_found'],
  ['model.request', 400, 'model_not_found'],
  ['model.request', 405, undefined],
  ['model.request', 301, undefined],
  ['model.request', undefined, undefined], // a page instead of an answer
  ['model.credentials', 401, undefined],
  ['model.quota', 402, undefined],
  ['model.rate_limited', 429, undefined],
  ['model.unavailable', 503, undefined],
  ['model.unavailable', undefined, 'ECONNREFUSED'],
  ['model.timeout', undefined, undefined],
] as const)
  test(`${code}, ${status ?? providerCode}: nothing else is asked`, async () => {
    const { answered, requests } = await askRefused(code, status, providerCode);
    assert.deepEqual(answered, { kind: 'apology', text: 'sorry', failure: code });
    assert.equal(requests.length, 1);
  });

test('of several new messages the newest is answered when another one is refused, and that one is named', async () => {
  const bad = said('user', 'refused\nnewest');
  const asked: string[] = [];
  const model = {
    name: 'test',
    ping: async () => {},
    async answer({ messages }: ModelRequest) {
      asked.push(String(messages.at(-1)?.content));
      if (messages.includes(bad)) throw new Failure('model.request', 'refused', { providerStatus: 400 });
      return { text: scrub('answered'), complete: true, usage: { prompt: 1, completion: 1, cached: 0 }, attempts: 1 };
    },
  } satisfies ChatModel;
  const asker = createAsker({ ...ASKER, model });
  const [system] = ALONE as [ModelMessage];
  const prompt = { messages: [...PROMPT.messages.slice(0, -1), bad], fresh: [system, bad], newest: ALONE };
  const answered = await asker.ask(ASKING, prompt, new AbortController().signal, log);
  assert.equal(answered.kind === 'answer' && answered.refused, 'others');
  assert.deepEqual(asked, ['refused\nnewest', 'refused\nnewest', 'newest']);
});
