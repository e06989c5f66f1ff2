import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, test } from 'node:test';
import sharp from 'sharp';
import { DEFAULT_FAILURE_REPLY } from '../../app/config.ts';
import { type ChatRequest, lastUserText, type ModelFault } from '../doubles/model.ts';
import { AUTH_TOKEN, type Bot, type Doubles, eventually, startBot, startDoubles } from '../support/bot.ts';
import { deliverWebhook, mediaMessage } from '../support/webhook.ts';

const ANA = '15550100111';

let doubles: Doubles;
let bot: Bot;

before(async () => {
  doubles = await startDoubles();
  bot = await startBot(doubles, { DAILY_TOKENS_PER_CONTACT: '1000000', RATE_LIMIT_PER_MINUTE: '1000' });
});

after(async () => {
  await bot.stop();
  await doubles.stop();
});

beforeEach(async () => {
  await doubles.redis.client().flushall();
  doubles.model.requests.length = 0;
  doubles.model.faults.length = 0;
  doubles.model.refuseWith = undefined;
  doubles.model.answer = (request) => `You said: ${lastUserText(request)}`;
  doubles.twilio.sent.length = 0;
});

const FILTERED: ModelFault = { kind: 'status', status: 400, code: 'content_filter', message: 'filtered' };
const textOf = (request: ChatRequest | undefined) => JSON.stringify(request?.messages ?? []);
/** A message of ours that the provider has. */
const ours = (body: string) => doubles.twilio.addReply({ to: `whatsapp:+${ANA}`, from: 'whatsapp:+14155238886', body });
const turnIsOver = () =>
  eventually('the turn is over', async () => !(await doubles.redis.client().exists(`recado:{0}:c:${ANA}:lease`)));
const asked = () => doubles.model.requests.map(({ chat }) => chat);

/** A server that refuses every prompt with this word in it. */
function refuse(word: string): void {
  doubles.model.refuseWith = (request) => (textOf(request).includes(word) ? FILTERED : undefined);
}

describe('a line that the model server refuses', () => {
  test('spoils no later turn: it is answered by the apology, hidden, and what came before it is still known', async () => {
    refuse('forbidden');
    await bot.say(ANA, 'My name is Ana');
    assert.deepEqual((await bot.say(ANA, 'a forbidden word')).texts, [DEFAULT_FAILURE_REPLY]);
    assert.equal(asked().length, 3, 'asked once more, with the newest message alone');
    assert.equal(asked()[2]?.messages.length, 2);
    for (const question of ['What is my name?', 'And now?', 'Are you there?']) {
      const before = asked().length;
      assert.deepEqual((await bot.say(ANA, question)).texts, [`You said: ${question}`]);
      assert.equal(asked().length, before + 1, 'one request, as ever');
      assert.match(textOf(asked().at(-1)), /My name is Ana/);
      assert.doesNotMatch(textOf(asked().at(-1)), /forbidden/);
    }
  });

  test('as the very first message is asked about once more, without the name of the profile', async () => {
    refuse('forbidden');
    assert.deepEqual((await bot.say(ANA, 'forbidden')).texts, [DEFAULT_FAILURE_REPLY]);
    assert.equal(asked().length, 2);
  });

  test('that is our own answer is found: the question is answered alone, then everything goes on as before', async () => {
    await bot.say(ANA, 'My name is Ana');
    doubles.model.queue.push('something forbidden');
    await bot.say(ANA, 'Say something');
    refuse('forbidden');
    assert.deepEqual((await bot.say(ANA, 'What is my name?')).texts, ['You said: What is my name?']);
    assert.deepEqual((await bot.say(ANA, 'And now?')).texts, ['You said: And now?']);
    const last = textOf(asked().at(-1));
    assert.match(last, /My name is Ana/);
    assert.doesNotMatch(last, /forbidden/);
    assert.equal(asked().length, 2 + 2 + 1);
  });

  test('far back in a history from another server leads to two turns without memory, not to a hundred', async () => {
    await bot.say(ANA, 'a forbidden word of old');
    for (let i = 0; i < 3; i++) await bot.say(ANA, `message ${i}`);
    refuse('forbidden');
    for (let i = 0; i < 4; i++) assert.deepEqual((await bot.say(ANA, `later ${i}`)).texts, [`You said: later ${i}`]);
    assert.equal(asked().length, 4 + (2 + 2 + 1 + 1));
    assert.match(textOf(asked().at(-1)), /later 1[\s\S]*later 2/);
  });

  for (const [name, fault] of Object.entries({
    'in Chinese': { kind: 'status', status: 400, code: '1301', message: '系统检测到输入或生成内容可能包含不安全内容' },
    'in Spanish, without a code': { kind: 'status', status: 422, message: 'No se puede procesar el texto' },
    'as a special token of the model': { kind: 'status', status: 400, message: 'special token found in input' },
  } satisfies Record<string, ModelFault>))
    test(`${name}: whoever wrote it gets an answer to what they write next`, async () => {
      await bot.say(ANA, 'My name is Ana');
      doubles.model.refuseWith = (request) => (textOf(request).includes('<|endoftext|>') ? fault : undefined);
      assert.deepEqual((await bot.say(ANA, 'what does <|endoftext|> mean?')).texts, [DEFAULT_FAILURE_REPLY]);
      for (const question of ['and now?', 'hello?'])
        assert.deepEqual((await bot.say(ANA, question)).texts, [`You said: ${question}`]);
    });

  test('in the name of the profile or in the summary is found, and the conversation is remembered again', async () => {
    const redis = doubles.redis.client();
    await redis.hset(`recado:{0}:c:${ANA}:state`, 'summary', 'They asked about a forbidden thing', 'version', '3');
    refuse('forbidden');
    for (let i = 0; i < 4; i++)
      assert.deepEqual((await bot.say(ANA, `message ${i}`, { ProfileName: 'forbidden Ana' })).texts, [
        `You said: message ${i}`,
      ]);
    const before = asked().length;
    assert.deepEqual((await bot.say(ANA, 'and now?')).texts, ['You said: and now?']);
    assert.equal(asked().length, before + 1, 'one request, as ever');
    assert.match(textOf(asked().at(-1)), /message 3/);
  });

  test('in words of a server that has its own', async () => {
    await bot.say(ANA, 'hello');
    doubles.model.faults.push({ kind: 'status', status: 400, message: 'Content Exists Risk' });
    assert.deepEqual((await bot.say(ANA, 'again')).texts, ['You said: again']);
  });
});

describe('pictures that a model server refuses', () => {
  const picture = () =>
    sharp({ create: { width: 64, height: 64, channels: 3, background: '#ff0000' } })
      .jpeg()
      .toBuffer();
  const send = async (texts: string[]) => {
    const file = await picture();
    const posts = texts.map((Body) => {
      const url = doubles.twilio.addMedia(file, 'image/jpeg');
      const fields = mediaMessage(url, 'image/jpeg', { From: `whatsapp:+${ANA}`, Body });
      return deliverWebhook(`${bot.url}/whatsapp`, AUTH_TOKEN, fields);
    });
    return (await Promise.all(posts)).flatMap(({ texts }) => texts);
  };
  const pictures = (request: ChatRequest) => textOf(request).match(/"type":"image_url"/g)?.length ?? 0;

  for (const [name, fault] of Object.entries({
    'a model that only reads': { kind: 'status', status: 400, message: 'this model is not a multimodal model' },
    'a server that fails at them': { kind: 'status', status: 500, message: 'image input is not supported' },
    'a server with a strict schema': { kind: 'status', status: 422, message: 'unknown variant `image_url`' },
  } satisfies Record<string, ModelFault>))
    test(`${name}: the words are answered, and the model says that it sees nothing`, async () => {
      doubles.model.refuseWith = (request) => (textOf(request).includes('image_url') ? fault : undefined);
      const [answer] = await send(['what colour is this?']);
      assert.match(answer ?? '', /what colour is this\?[\s\S]*You cannot see this picture/);
      assert.equal(asked().length, 2);
    });

  test('a model that takes one: it sees the newest, and is told of the other', async () => {
    doubles.model.refuseWith = (request) =>
      pictures(request) > 1
        ? { kind: 'status', status: 400, message: 'At most 1 image(s) may be provided' }
        : undefined;
    await send(['one', 'two']);
    await eventually('both were answered', () => asked().some((request) => pictures(request) === 1));
    assert.match(textOf(asked().at(-1)), /only one at a time/);
  });
});

describe('a prompt that is longer than the model takes', () => {
  for (const [name, fault] of Object.entries({
    'a code': { kind: 'status', status: 400, code: 'context_length_exceeded', message: 'too many tokens' },
    'a sentence': { kind: 'status', status: 400, message: "This model's maximum context length is 8192 tokens." },
    'a proxy': { kind: 'status', status: 413, message: 'Payload Too Large' },
  } satisfies Record<string, ModelFault>))
    test(`is answered with the newest of its history, and nothing is hidden: ${name}`, async () => {
      for (let i = 0; i < 8; i++) await bot.say(ANA, `message ${i}`);
      doubles.model.refuseWith = ({ messages }) => (messages.length > 8 ? fault : undefined);
      assert.deepEqual((await bot.say(ANA, 'and now?')).texts, ['You said: and now?']);
      assert.match(textOf(asked().at(-1)), /message 7/);
      doubles.model.refuseWith = undefined;
      await bot.say(ANA, 'later');
      assert.match(textOf(asked().at(-1)), /message 0/);
    });
});

describe('three messages while the model is down', () => {
  test('get one apology, and the next answer covers all of them', async () => {
    doubles.model.refuseWith = () => ({ kind: 'status', status: 401, code: 'invalid_api_key' });
    const texts = [];
    for (const text of ['one', 'two', 'three']) texts.push(...(await bot.say(ANA, text)).texts);
    assert.deepEqual(texts, [DEFAULT_FAILURE_REPLY]);
    doubles.model.refuseWith = undefined;
    assert.deepEqual((await bot.say(ANA, 'four')).texts, ['You said: one\ntwo\nthree\nfour']);
  });
});

describe('an answer that was handed to a connection nobody read from', () => {
  const repeat = async (text: string) => {
    const fields = { MessageSid: `SM${'ab'.repeat(16)}`, From: `whatsapp:+${ANA}`, Body: text };
    return bot.say(ANA, text, fields);
  };

  test('is sent by a call when the provider repeats the webhook and does not have it, once', async () => {
    assert.deepEqual((await repeat('hello')).texts, ['You said: hello']);
    await turnIsOver();
    assert.deepEqual((await repeat('hello')).texts, []);
    await repeat('hello');
    assert.deepEqual(
      doubles.twilio.sent.map(({ body }) => body),
      ['You said: hello'],
    );
    assert.equal(asked().length, 1);
  });

  test('is not sent again when the provider has it', async () => {
    await repeat('hello');
    ours('You said: hello');
    await turnIsOver();
    await repeat('hello');
    assert.equal(doubles.twilio.sent.length, 1);
  });

  test('is found among the answers after it, too', async () => {
    await repeat('hello');
    await bot.say(ANA, 'and another');
    await turnIsOver();
    await repeat('hello');
    assert.deepEqual(
      doubles.twilio.sent.map(({ body }) => body),
      ['You said: hello'],
    );
  });
});

describe('a message that answers another', () => {
  const quoting = (sid: string, body: string) =>
    bot.say(ANA, body, { OriginalRepliedMessageSid: sid, OriginalRepliedMessageSender: 'whatsapp:+14155238886' });

  test('of ours is shown with its words, which the provider has', async () => {
    const { sid } = ours('We have a room with a view for 90 euros');
    await quoting(sid, 'this one please');
    assert.match(
      lastUserText(asked()[0] as ChatRequest),
      /\[in answer to: We have a room with a view for 90 euros\]\nthis one please/,
    );
  });

  test('of theirs is shown with its words, which we remember', async () => {
    const sid = `SM${'cd'.repeat(16)}`;
    await bot.say(ANA, 'Do you have parking?', { MessageSid: sid });
    const lists = doubles.twilio.requests.length;
    await quoting(sid, 'I mean for a van');
    assert.match(lastUserText(asked()[1] as ChatRequest), /in answer to: Do you have parking\?/);
    assert.equal(doubles.twilio.requests.length, lists, 'nobody is asked');
  });

  test('that nobody knows any more says that much, and a forwarded one that it is', async () => {
    await quoting(`SM${'ef'.repeat(16)}`, 'yes');
    assert.match(lastUserText(asked()[0] as ChatRequest), /\[in answer to an earlier message\]\nyes/);
    await bot.say(ANA, 'see this', { Forwarded: 'true' });
    assert.match(lastUserText(asked()[1] as ChatRequest), /\[forwarded from another chat\]\nsee this/);
  });
});
