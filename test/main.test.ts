import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { AUTH_TOKEN, type Doubles, eventually, startDoubles } from './support/bot.ts';
import { type Program, startProgram } from './support/program.ts';
import { deliverWebhook, postWebhook, textMessage, type WebhookResponse } from './support/webhook.ts';

/** Longer than what still counts as the echo of a signal. */
const A_WHILE_MS = 500;

describe('a signal to the program while it answers', () => {
  let doubles: Doubles;
  let program: Program;
  let answer: () => void;
  let answered: Promise<WebhookResponse>;

  before(async () => {
    doubles = await startDoubles();
  });
  after(() => doubles.stop());
  beforeEach(async () => {
    doubles.model.requests.length = 0;
    const told = new Promise<void>((resolve) => {
      answer = resolve;
    });
    doubles.model.answer = async () => {
      await told;
      return 'There you are.';
    };
    program = await startProgram(doubles);
    answered = postWebhook(`${program.url}/whatsapp`, AUTH_TOKEN, textMessage());
    answered.catch(() => {}); // where that is expected it is asserted
    await eventually('the model is asked', () => doubles.model.requests.length === 1);
  });
  afterEach(async () => {
    answer();
    program.kill('SIGKILL');
    await program.ended();
    await doubles.redis.client().flushall();
  });

  test('lets it finish, also when two come at once, as from a terminal and from npm', async () => {
    program.kill('SIGINT');
    program.kill('SIGTERM'); // of the same kind the system would make them one
    await sleep(A_WHILE_MS);
    answer();
    assert.deepEqual((await answered).texts, ['There you are.']);
    assert.equal(await program.ended(), 0);
  });

  test('lets it store what comes in meanwhile, for the next start', async () => {
    program.kill('SIGTERM');
    await sleep(A_WHILE_MS);
    const From = 'whatsapp:+15550100177';
    const { status, texts } = await deliverWebhook(`${program.url}/whatsapp`, AUTH_TOKEN, textMessage({ From }));
    assert.deepEqual([status, texts], [200, []]);
    answer();
    assert.equal(await program.ended(), 0);
    const redis = doubles.redis.client();
    assert.deepEqual(await redis.zrange('recado:{0}:due', 0, '-1'), ['15550100177']);
    assert.deepEqual(await redis.keys('recado:*:lease'), []);
    doubles.model.answer = async () => 'Here you are, too.';
    const next = await startProgram(doubles);
    await eventually('the next start answers', () => doubles.twilio.sent.some(({ to }) => to === From));
    next.kill('SIGTERM');
    assert.equal(await next.ended(), 0);
  });

  test('lets it leave at once when it comes again', async () => {
    program.kill('SIGINT');
    await sleep(A_WHILE_MS);
    program.kill('SIGINT');
    assert.equal(await program.ended(), 130);
    await assert.rejects(answered);
  });
});
