/** What the assistant is for: what the model is told, and what the operator is told when nobody said it. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { isWithoutPurpose, NO_PURPOSE, templateOf } from '../../app/conversation/purpose.ts';
import { type Doubles, startBot, startDoubles } from '../support/bot.ts';
import { ANA } from '../support/message.ts';

const BAKERY = { name: 'Bakery Aurora', purpose: 'We bake bread. Open from 7 to 18.' };
const NOTHING = { name: null, purpose: null };
const real = { ownPrompt: null, isSimulated: false };

describe('the template of the system prompt', () => {
  test('names the business and its purpose, and the rules that hold for every assistant', () => {
    const template = templateOf({ ...real, business: BAKERY });
    assert.match(template, /assistant of Bakery Aurora on WhatsApp/);
    assert.match(template, /<business>\nWe bake bread\. Open from 7 to 18\.\n<\/business>/);
    for (const rule of [
      /nothing else/,
      /Never invent prices/,
      /Never claim or suggest to be a human/,
      /person of the team/,
    ])
      assert.match(template, rule);
    assert.match(template, /\{today\}/, 'opening hours need the day');
  });

  test('is the operator’s own when there is one, with the business filled in', () => {
    const ownPrompt = 'You work for {business_name}: {business_purpose} Be rude. {profile_name}';
    assert.equal(
      templateOf({ ...real, business: BAKERY, ownPrompt }),
      'You work for Bakery Aurora: We bake bread. Open from 7 to 18. Be rude. {profile_name}',
    );
    assert.match(templateOf({ ...real, business: NOTHING, ownPrompt }), /You work for this business: {2}Be rude/);
  });

  test('passes messages on when real people write and nobody said what for', () => {
    const template = templateOf({ ...real, business: { ...NOTHING, name: 'Bakery Aurora' } });
    assert.match(template, /You answer for Bakery Aurora/);
    assert.match(template, /passed their message\non to the team/);
    assert.doesNotMatch(template, /helpful/);
  });

  test('needs nothing in the simulator', () => {
    const simulated = { ownPrompt: null, isSimulated: true, business: NOTHING };
    assert.match(templateOf(simulated), /trying it out/);
    assert.equal(isWithoutPurpose(simulated), false);
    assert.match(templateOf({ ...simulated, business: BAKERY }), /Bakery Aurora/);
  });
});

describe('a bot', () => {
  let doubles: Doubles;
  before(async () => {
    doubles = await startDoubles();
  });
  after(() => doubles.stop());

  /** What the operator and the model are told of the purpose. */
  async function told(environment: Record<string, string>) {
    const bot = await startBot(doubles, environment);
    await bot.say(ANA, 'Write my homework, please');
    const { status, parts } = (await (await fetch(`${bot.url}/readyz`)).json()) as Record<string, unknown>; // our own answer
    await bot.stop();
    const isWarned = bot.logs.some((line) => line.includes(NO_PURPOSE));
    const [system] = doubles.model.requests.at(-1)?.chat.messages ?? [];
    return { status, purpose: (parts as Record<string, string>).purpose, isWarned, system: String(system?.content) };
  }

  test('with a purpose tells it to the model', async () => {
    const { purpose, isWarned, system } = await told({});
    assert.deepEqual([purpose, isWarned], ['ok', false]);
    assert.match(system, /<business>\nA bakery\. Helps with opening hours and orders\.\n<\/business>/);
    assert.match(system, /Today is \w+day/);
  });

  test('without one says so in the log and at /readyz, and only passes messages on', async () => {
    const { status, purpose, isWarned, system } = await told({ BUSINESS_NAME: '', BUSINESS_PURPOSE: '' });
    assert.deepEqual([status, purpose, isWarned], ['degraded', 'not set', true]);
    assert.match(system, /You answer for a business on WhatsApp, and you have not been told anything about it/);
  });

  test('with a prompt of its own needs none', async () => {
    const { purpose, isWarned, system } = await told({
      BUSINESS_PURPOSE: '',
      SYSTEM_PROMPT: 'You are {business_name}.',
    });
    assert.deepEqual([purpose, isWarned], ['ok', false]);
    assert.match(system, /^You are Bakery Aurora\./);
  });
});
