import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { type FailureCode, isFailure } from '../../app/errors.ts';
import type { ChatModel, ModelRequest } from '../../app/llm/model.ts';
import { scrub } from '../../app/privacy/scrub.ts';

/** A model under test and the server behind it, whatever protocol they speak with each other. */
export interface ChatModelUnderTest {
  model: ChatModel;
  /** What the server answers from now on to what the person wrote last. */
  answerWith(answer: (text: string) => string): void;
  /** What the server does to the next requests, one fault each, before it answers again. */
  fail(...faults: ContractFault[]): void;
  /** How many times the server was asked for an answer. */
  asked(): number;
  /** Requests that the server still has in hand. */
  open(): number;
  close(): Promise<void>;
}

export type ContractFault =
  | 'server-error'
  | 'cut-connection'
  | 'hang'
  | 'wrong-credentials'
  | 'no-words'
  /** 429 with a Retry-After of two minutes. */
  | 'come-back-later';

/**
 * What every `ChatModel` must do. `start` is called for each test with the deadline the model shall have.
 * What only one provider does (parameters, token counts) is tested beside it.
 */
export function describeChatModel(name: string, start: (timeoutMs: number) => Promise<ChatModelUnderTest>): void {
  describe(name, () => {
    let it: ChatModelUnderTest;
    beforeEach(async () => {
      it = await start(30_000);
    });
    afterEach(() => it.close());

    async function restart(timeoutMs: number) {
      await it.close();
      it = await start(timeoutMs);
    }

    test('answers', async () => {
      it.answerWith(() => 'We open at nine.');
      const answer = await it.model.answer(question());
      assert.equal(answer.text, 'We open at nine.');
      assert.equal(answer.complete, true);
      assert.equal(answer.attempts, 1);
      assert.equal(it.asked(), 1);
    });

    test('keeps simultaneous answers apart', async () => {
      const texts = Array.from({ length: 20 }, (_, i) => `Number ${i}`);
      it.answerWith((text) => `${text} to you, too`);
      const answers = await Promise.all(texts.map((text) => it.model.answer(question({ text }))));
      assert.deepEqual(
        answers.map(({ text }) => text),
        texts.map((text) => `${text} to you, too`),
      );
      assert.equal(it.asked(), 20);
    });

    test('takes what must not be seen out of an answer', async () => {
      it.answerWith(() => 'It is at https://api.twilio.com/2010-04-01/Accounts/AC/Media/ME for you');
      const { text } = await it.model.answer(question());
      assert.doesNotMatch(text, /twilio/);
      assert.match(text, /for you/);
    });

    test('never gives an empty answer', async () => {
      it.fail('no-words', 'no-words', 'no-words', 'no-words');
      await rejectsWith('model.empty', it.model.answer(question()));
    });

    test('tries again after a failure of the server', async () => {
      it.answerWith(() => 'Here I am again.');
      it.fail('server-error');
      const answer = await it.model.answer(question());
      assert.equal(answer.text, 'Here I am again.');
      assert.equal(answer.attempts, 2);
    });

    test('tries again after a connection was cut', async () => {
      it.answerWith(() => 'Here I am again.');
      it.fail('cut-connection');
      assert.equal((await it.model.answer(question())).text, 'Here I am again.');
    });

    test('does not try credentials twice', async () => {
      it.fail('wrong-credentials');
      await rejectsWith('model.credentials', it.model.answer(question()));
      assert.equal(it.asked(), 1);
    });

    test('is not kept waiting by a long Retry-After', async () => {
      it.fail('come-back-later');
      await rejectsWith('model.rate_limited', it.model.answer(question()));
      assert.equal(it.asked(), 1);
    });

    test('gives up a request that hangs at its deadline, and lets go of it', async () => {
      await restart(150);
      it.fail('hang');
      await rejectsWith('model.timeout', it.model.answer(question()));
      await nothingOpen(it);
    });

    test('gives up when nothing but failures fill the deadline', async () => {
      await restart(2_000);
      it.fail(...Array.from({ length: 20 }, () => 'server-error' as const));
      await rejectsWith('model.unavailable', it.model.answer(question()));
    });

    test('ends with the reason of its signal during a request, and lets go of it', async () => {
      it.fail('hang');
      const { signal, abort } = abortable();
      const answer = it.model.answer(question({ signal }));
      await until(() => it.asked() === 1);
      abort();
      await assert.rejects(answer, { message: 'the turn is over' });
      await nothingOpen(it);
    });

    test('ends with the reason of its signal between two tries', async () => {
      it.fail('server-error', 'server-error', 'server-error');
      const { signal, abort } = abortable();
      const answer = it.model.answer(question({ signal }));
      await until(() => it.asked() === 1);
      abort();
      await assert.rejects(answer, { message: 'the turn is over' });
      assert.equal(it.asked(), 1);
    });

    test('does not even ask with a signal that is aborted already', async () => {
      const { signal, abort } = abortable();
      abort();
      await assert.rejects(it.model.answer(question({ signal })), { message: 'the turn is over' });
      assert.equal(it.asked(), 0);
    });

    test('leaves no listener behind on the signal', async () => {
      const { signal } = abortable();
      let listening = 0;
      const add = signal.addEventListener.bind(signal);
      const remove = signal.removeEventListener.bind(signal);
      signal.addEventListener = (...args: Parameters<typeof add>) => {
        listening++;
        add(...args);
      };
      signal.removeEventListener = (...args: Parameters<typeof remove>) => {
        listening--;
        remove(...args);
      };
      it.fail('server-error');
      await it.model.answer(question({ signal }));
      assert.equal(listening, 0);
    });

    test('says that the server is there, and that it is not', async () => {
      await it.model.ping();
      await it.close();
      await rejectsWith('model.unavailable', it.model.ping());
    });
  });
}

/** A request of one user message. */
export function question({
  text = 'When do you open?',
  ...overrides
}: Partial<ModelRequest> & { text?: string } = {}): ModelRequest {
  return {
    messages: [
      { role: 'system', content: scrub('You are a friendly assistant.') },
      { role: 'user', content: scrub(text) },
    ],
    maxTokens: 100,
    conversation: '14155238886:15550100123',
    purpose: 'answer',
    ...overrides,
  };
}

export async function rejectsWith(code: FailureCode, promise: Promise<unknown>): Promise<void> {
  await assert.rejects(promise, (error) => {
    assert.ok(isFailure(error), `expected a Failure, got ${error}`);
    assert.equal(error.code, code);
    return true;
  });
}

function abortable() {
  const controller = new AbortController();
  return { signal: controller.signal, abort: () => controller.abort(new Error('the turn is over')) };
}

async function nothingOpen(it: ChatModelUnderTest): Promise<void> {
  await until(() => it.open() === 0);
  assert.equal(it.open(), 0);
}

/** Waits for something that happens by itself; gives up after a minute and leaves it to the assertion that follows. */
async function until(holds: () => boolean): Promise<void> {
  const givenUpAt = performance.now() + 60_000;
  while (!holds() && performance.now() < givenUpAt) await new Promise((resolve) => setTimeout(resolve, 5));
}
