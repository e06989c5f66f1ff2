import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, test } from 'node:test';
import type { ModelMessage } from '../../app/llm/model.ts';
import { countMessageTokens } from '../../app/llm/tokens.ts';
import { lastUserText } from '../doubles/model.ts';
import { type Bot, type Doubles, eventually, startBot, startDoubles } from '../support/bot.ts';

const ANA = '15550100101';
const STATE = `recado:{0}:c:${ANA}:state`;

let doubles: Doubles;
let bot: Bot;

before(async () => {
  doubles = await startDoubles();
  bot = await startBot(doubles, {
    HISTORY_TOKENS: '1000',
    SUMMARY_TOKENS: '100',
    OPENAI_SUMMARY_MODEL: 'summary-model',
    RATE_LIMIT_PER_MINUTE: '10000',
    OPENAI_TIMEOUT_MS: '5000',
  });
});

after(async () => {
  await bot.stop();
  await doubles.stop();
});

beforeEach(async () => {
  await doubles.redis.client().flushall();
  doubles.model.requests.length = 0;
  doubles.model.faults.length = 0;
  doubles.model.answer = (request) =>
    request.model === 'summary-model'
      ? 'They talked about numbers.'
      : `An answer of some length to ${lastUserText(request)}`;
});

const rolls = () => doubles.model.requests.filter(({ chat }) => chat.model === 'summary-model').length;
/** Nobody folds the history any more, well or not. */
const rollEnded = () =>
  eventually('no roll is under way', async () => !(await doubles.redis.client().hexists(STATE, 'rolling')));
const version = async () => Number(await doubles.redis.client().hget(STATE, 'version'));

/** The prompts of the answers, in tokens. The double records what the client sent, which is what we built. */
function promptTokens(): number[] {
  return doubles.model.requests
    .filter(({ chat }) => chat.model !== 'summary-model')
    .map(({ chat }) => countMessageTokens(chat.messages as unknown as ModelMessage[]));
}

describe('200 turns', () => {
  test('keep the prompt under its budget; the model is asked once per answer and once per roll', {
    timeout: 600_000,
  }, async () => {
    for (let i = 0; i < 200; i++) {
      await bot.say(ANA, `This is message number ${i}, and it says something about the number ${i * i}.`);
      await rollEnded();
    }
    const tokens = promptTokens();
    assert.equal(tokens.length, 200);
    assert.ok(Math.max(...tokens) <= 1_000 + 100 + 400, `a prompt had ${Math.max(...tokens)} tokens`);
    assert.ok(Math.max(...tokens.slice(150)) <= Math.max(...tokens.slice(20, 100)) * 1.1, 'it does not grow');
    assert.ok(rolls() >= 5 && rolls() <= 40, `${rolls()} rolls`);
    assert.equal(doubles.model.requests.length, 200 + rolls());
  });
});

describe('a roll', () => {
  async function talk(turns: number): Promise<void> {
    for (let i = 0; i < turns; i++) await bot.say(ANA, `Message ${i}: ${'many words here '.repeat(12)}`);
  }

  test('puts the summary into the prompt and leaves the beginning of it the same from turn to turn', async () => {
    for (let i = 0; i < 30; i++) {
      await talk(1);
      await rollEnded();
    }
    assert.ok((await version()) >= 1);
    await bot.say(ANA, 'one');
    await bot.say(ANA, 'two');
    const [one, two] = doubles.model.requests.filter(({ chat }) => chat.model !== 'summary-model').slice(-2);
    assert.match(JSON.stringify(one?.chat.messages[0]), /They talked about numbers/);
    assert.deepEqual(two?.chat.messages.slice(0, one?.chat.messages.length), one?.chat.messages);
  });

  test('that fails loses nothing, and is tried again at the next turn', async () => {
    doubles.model.answer = (request) => {
      if (request.model === 'summary-model') throw new Error('no summary today');
      return `Answer to ${lastUserText(request)}`;
    };
    await talk(8);
    const before = await doubles.redis.client().llen(STATE.replace('state', 'history'));
    assert.equal(await version(), 0);
    assert.equal(before, 16);
    doubles.model.answer = (request) => (request.model === 'summary-model' ? 'Notes.' : 'Fine.');
    await rollEnded();
    await talk(12);
    await eventually('a roll', async () => (await version()) >= 1);
  });
});
