import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { after, before, beforeEach, describe, test } from 'node:test';
import type { Redis } from 'ioredis';
import { DEFAULT_FAILURE_REPLY } from '../../app/config.ts';
import { type ChatRequest, lastUserText } from '../doubles/model.ts';
import { AUTH_TOKEN, type Bot, type Doubles, eventually, startBot, startDoubles } from '../support/bot.ts';
import { deliverWebhook, postWebhook, textMessage, type WebhookResponse } from '../support/webhook.ts';

const ANA = '15550100101';
const BEN = '15550100102';

let doubles: Doubles;
let bot: Bot;

before(async () => {
  doubles = await startDoubles();
  bot = await startBot(doubles);
});

after(async () => {
  await bot.stop();
  await doubles.stop();
});

beforeEach(async () => {
  await doubles.redis.client().flushall();
  doubles.model.requests.length = 0;
  doubles.model.faults.length = 0;
  doubles.model.delayMs = 0;
  doubles.model.answer = echo;
  doubles.twilio.sent.length = 0;
});

const echo = (request: ChatRequest) => `You said: ${lastUserText(request)}`;

/** What the model was shown in its latest request. */
function shown(): { role: string; content: unknown }[] {
  return doubles.model.requests.at(-1)?.chat.messages ?? [];
}

/** The sweep for unfinished work asks Redis now and then, too: of several messages it misses most. */
const SEVERAL = 5;

/** Beside those of the processes, which say every second that they live. */
async function keysLeft(): Promise<string[]> {
  const keys = await doubles.redis.client().keys('recado:*');
  const names = keys.map((key) => key.split(':').at(-1) ?? '');
  return names.filter((name) => name !== 'processes' && name !== 'places').sort();
}

describe('a text', () => {
  test('is answered in the response of its own webhook, and known at the next message', async () => {
    const first = await bot.say(ANA, 'My name is Ana');
    assert.equal(first.status, 200);
    assert.match(first.contentType, /^text\/xml/);
    assert.deepEqual(first.texts, ['You said: My name is Ana']);

    await bot.say(ANA, 'What is my name?');
    assert.deepEqual(shown().slice(1), [
      { role: 'user', content: 'My name is Ana' },
      { role: 'assistant', content: 'You said: My name is Ana' },
      { role: 'user', content: 'What is my name?' },
    ]);
    assert.equal(doubles.twilio.sent.length, 0);
  });

  test('leaves a line in the log with its timeline, and what was taken out of it is counted', async () => {
    bot.logs.length = 0;
    await bot.say(ANA, `See https://api.twilio.com/x and ME${'0123456789abcdef'.repeat(2)}`);
    const answered = () => bot.logs.map((line) => JSON.parse(line)).filter(({ message }) => message === 'Answered');
    await eventually('the turn is over', () => answered().length > 0);
    const { outcome, via, messages, ms } = answered().at(-1) ?? {};
    assert.deepEqual([outcome, via, messages], ['answer', 'response', 1]);
    assert.deepEqual(Object.keys(ms), ['waited', 'media', 'model', 'commit', 'deliver']);
    for (const [stage, took] of Object.entries(ms)) assert.ok(Number.isInteger(took), `${stage} took ${took}`);
    const figures = await (await fetch(`${bot.url}/metrics`)).text();
    assert.match(figures, /^recado_scrubbed_total\{where="message"\} 2$/m);
    assert.doesNotMatch(figures, /where="prompt"\} [1-9]/);
  });

  test('leaves nothing behind but history, state and the seen ids', async () => {
    await bot.say(ANA, 'hello');
    await eventually('the turn is finished', async () => !(await keysLeft()).includes('lease'));
    assert.deepEqual(
      await keysLeft(),
      ['blocks', 'events', 'handed', 'history', 'rate', 'seen', 'spam', 'state'],
      'rate is this minute’s count, blocks and spam are this hour’s',
    );
    for (const key of await doubles.redis.client().keys('recado:*:c:*')) {
      assert.ok((await doubles.redis.client().pttl(key)) > 0, `${key} never expires`);
    }
  });

  test('of a person without a phone number is answered, too', async () => {
    const answered = await bot.say('', 'hi', { From: 'whatsapp:US.1A2b3C4d', ExternalUserId: 'whatsapp:US.1A2b3C4d' });
    assert.deepEqual(answered.texts, ['You said: hi']);
    assert.deepEqual(await doubles.redis.client().keys('*:history'), ['recado:{0}:c:US.1A2b3C4d:history']);
  });

  test('is answered at every path that the console may have', async () => {
    for (const path of ['/whatsapp', '/whatsapp-endpoint', '/api/whatsapp', '/api/whatsapp/webhook']) {
      const params = textMessage({ From: `whatsapp:+${ANA}`, Body: path });
      assert.deepEqual((await deliverWebhook(bot.url + path, AUTH_TOKEN, params)).texts, [`You said: ${path}`]);
    }
  });

  test('costs two round trips to Redis, and one more when its answer is out', async () => {
    await bot.say(ANA, 'warm the script cache');
    const client = doubles.redis.client();
    // How often Redis found something to read on a socket: commands that travel together are one round trip.
    const reads = async () => Number(/total_reads_processed:(\d+)/.exec(await client.info('stats'))?.[1]);
    await reads();
    const asked: number[] = [];
    for (let message = 0; message < SEVERAL; message++) {
      const before = await reads();
      await bot.say(ANA, 'hello');
      let looks = 0;
      await eventually('the turn is finished', async () => {
        looks++;
        return (await client.exists(`recado:{0}:c:${ANA}:lease`)) === 0;
      });
      asked.push((await reads()) - before - looks - 1);
    }
    assert.equal(Math.min(...asked), 2 + 1, `Redis was asked ${asked} times`);
  });

  test('sends Redis three commands: accept, commit, finish', async () => {
    await bot.say(ANA, 'warm the script cache');
    const monitored: string[] = [];
    const stop = await monitor(doubles.redis.client(), (name) => monitored.push(name));
    const sent: string[] = [];
    for (let message = 0; message < SEVERAL; message++) {
      monitored.length = 0;
      await bot.say(ANA, 'hello');
      await eventually('finish was sent', () => monitored.filter((name) => name === 'evalsha').length >= 3);
      sent.push(monitored.join(' '));
    }
    stop();
    assert.ok(sent.includes('evalsha evalsha evalsha'), sent.join('\n'));
  });
});

describe('two people', () => {
  test('never mix', async () => {
    await Promise.all([bot.say(ANA, 'I am Ana'), bot.say(BEN, 'I am Ben')]);
    await Promise.all([bot.say(ANA, 'who am I?'), bot.say(BEN, 'and who am I?')]);
    const [ana, ben] = [ANA, BEN].map((who) =>
      doubles.model.requests.find(({ chat }) =>
        JSON.stringify(chat.messages).includes(who === ANA ? 'who am I?"' : 'and who'),
      ),
    );
    const prompts = doubles.model.requests.slice(-2).map(({ chat }) => JSON.stringify(chat.messages));
    assert.ok(ana && ben);
    for (const prompt of prompts) assert.ok(prompt.includes('I am Ana') !== prompt.includes('I am Ben'), prompt);
  });
});

describe('a burst', () => {
  test('of five gets one answer, to all of them in their order', async () => {
    const others: WebhookResponse[] = [];
    doubles.model.answer = async (request) => {
      for (const word of ['two', 'three', 'four', 'five'].slice(others.length)) others.push(await bot.say(ANA, word));
      return echo(request);
    };
    const answers = [await bot.say(ANA, 'one'), ...others];
    assert.deepEqual(
      answers.map(({ status }) => status),
      [200, 200, 200, 200, 200],
    );
    assert.deepEqual(
      answers.flatMap(({ texts }) => texts),
      ['You said: one\ntwo\nthree\nfour\nfive'],
    );
    assert.deepEqual(doubles.twilio.sent, []);
    assert.equal(doubles.model.requests.length, 2, 'asked once, and once more with all of them');
    const history = await doubles.redis.client().lrange(`recado:{0}:c:${ANA}:history`, 0, -1);
    assert.deepEqual(
      history.map((line) => JSON.parse(line).text),
      ['one', 'two', 'three', 'four', 'five', 'You said: one\ntwo\nthree\nfour\nfive'],
    );
  });

  test('that never ends is answered after three more looks, and the rest in a turn of its own', async () => {
    let asked = 0;
    doubles.model.answer = async ({ messages }) => {
      asked++;
      if (asked <= 4) await bot.say(ANA, `more ${asked}`);
      return `Answer ${asked} to: ${messages.at(-1)?.content}`;
    };
    const first = await bot.say(ANA, 'start');
    assert.deepEqual(first.texts, ['Answer 4 to: start\nmore 1\nmore 2\nmore 3']);
    await eventually('the rest is answered by REST', () => doubles.twilio.sent.length === 1);
    assert.equal(doubles.twilio.sent[0]?.body, 'Answer 5 to: more 4');
  });
});

describe('a repeated id', () => {
  test('gets one answer, however often it comes', async () => {
    const params = textMessage({ From: `whatsapp:+${ANA}`, Body: 'once' });
    const answers = [];
    for (let i = 0; i < 3; i++) answers.push(await postWebhook(`${bot.url}/whatsapp`, AUTH_TOKEN, params));
    assert.deepEqual(
      answers.map(({ texts }) => texts),
      [['You said: once'], [], []],
    );
    assert.equal(doubles.model.requests.length, 1);
  });

  test('gets one answer when the repeats come while it is being answered', async () => {
    doubles.model.delayMs = 100;
    const params = textMessage({ From: `whatsapp:+${ANA}`, Body: 'once' });
    const post = () => postWebhook(`${bot.url}/whatsapp`, AUTH_TOKEN, params);
    const answers = await Promise.all([post(), post(), post()]);
    assert.deepEqual(
      answers.flatMap(({ texts }) => texts),
      ['You said: once'],
    );
    assert.equal(doubles.model.requests.length, 1);
  });
});

describe('a slow model', () => {
  let hasty: Bot;
  before(async () => {
    hasty = await startBot(doubles, { TWIML_DEADLINE_MS: '300' });
  });
  after(() => hasty.stop());

  test('is waited for until the deadline, then its answer comes by REST, once', async () => {
    doubles.model.delayMs = 900;
    const answered = await hasty.say(ANA, 'take your time');
    assert.deepEqual(answered.texts, []);
    assert.equal(answered.status, 200);
    await eventually('the answer is sent', () => doubles.twilio.sent.length > 0);
    await eventually('the turn is finished', async () => !(await keysLeft()).includes('lease'));
    assert.deepEqual(
      doubles.twilio.sent.map(({ to, from, body }) => ({ to, from, body })),
      [{ to: `whatsapp:+${ANA}`, from: 'whatsapp:+14155238886', body: 'You said: take your time' }],
    );
  });

  test('answers by REST also when the webhook was closed from the other side', async () => {
    doubles.model.delayMs = 300;
    const gone = new AbortController();
    const params = textMessage({ From: `whatsapp:+${ANA}`, Body: 'bye' });
    const posted = postWebhook(`${bot.url}/whatsapp`, AUTH_TOKEN, params, gone.signal);
    await eventually('the model is asked', () => doubles.model.requests.length === 1);
    gone.abort();
    await assert.rejects(posted);
    await eventually('the answer is sent', () => doubles.twilio.sent.length > 0);
    assert.equal(doubles.twilio.sent[0]?.body, 'You said: bye');
  });
});

describe('a model that fails', () => {
  test('is asked again', async () => {
    doubles.model.faults.push({ kind: 'status', status: 500 });
    assert.deepEqual((await bot.say(ANA, 'hello')).texts, ['You said: hello']);
  });

  test('for good leads to one apology, and the next turn answers both messages', async () => {
    doubles.model.faults.push({ kind: 'status', status: 401, code: 'invalid_api_key' });
    assert.deepEqual((await bot.say(ANA, 'first')).texts, [DEFAULT_FAILURE_REPLY]);
    assert.deepEqual((await bot.say(ANA, 'second')).texts, ['You said: first\nsecond']);
    assert.doesNotMatch(JSON.stringify(shown()), /Sorry/);
  });

  test('and asks us to wait two minutes does not hang the turn', async () => {
    doubles.model.faults.push({ kind: 'rate-limited', retryAfterSeconds: 120 });
    assert.deepEqual((await bot.say(ANA, 'hello')).texts, [DEFAULT_FAILURE_REPLY]);
  });

  test('with nothing to say: 502, and the repeat of the webhook is answered', async () => {
    const silent = await startBot(doubles, { FAILURE_REPLY: '' });
    try {
      doubles.model.faults.push({ kind: 'status', status: 401, code: 'invalid_api_key' });
      const params = textMessage({ From: `whatsapp:+${ANA}`, Body: 'are you there?' });
      const post = () => postWebhook(`${silent.url}/whatsapp`, AUTH_TOKEN, params);
      const failed = await post();
      assert.equal(failed.status, 502);
      assert.match(failed.contentType, /^text\/xml/);
      assert.deepEqual((await post()).texts, ['You said: are you there?']);
    } finally {
      await silent.stop();
    }
  });
});

describe('a history that begins with our words', () => {
  test('is shown so that the person speaks first, as many servers demand', async () => {
    await bot.say(ANA, 'one');
    await bot.say(ANA, 'two');
    await doubles.redis.client().lpop(`recado:{0}:c:${ANA}:history`);
    await bot.say(ANA, 'three');
    const { messages = [] } = doubles.model.requests.at(-1)?.chat ?? {};
    assert.deepEqual(messages.map(({ role, content }) => [role, content]).slice(1), [
      ['user', '(What they wrote before this is not shown.)'],
      ['assistant', 'You said: one'],
      ['user', 'two'],
      ['assistant', 'You said: two'],
      ['user', 'three'],
    ]);
  });
});

describe('a long answer', () => {
  test('comes in parts, in order, with formatting that WhatsApp knows', async () => {
    const paragraphs = Array.from({ length: 40 }, (_, i) => `**Part ${i}** ${'word '.repeat(20).trim()}.`);
    doubles.model.queue.push(paragraphs.join('\n\n'));
    const { texts } = await bot.say(ANA, 'tell me everything');
    assert.ok(texts.length >= 3);
    assert.ok(texts.every((text) => text.length <= 1_600));
    assert.deepEqual(
      [...texts.join('\n').matchAll(/\*Part (\d+)\*/g)].map(([, number]) => Number(number)),
      paragraphs.map((_, i) => i),
    );
  });

  test('of more texts than a response takes is sent by calls, in order', async () => {
    const pages = Array.from({ length: 12 }, (_, i) => `Page ${i}. ${'word '.repeat(260).trim()}.`);
    doubles.model.queue.push(pages.join('\n\n'));
    const answered = await bot.say(ANA, 'tell me all of it');
    assert.deepEqual([answered.status, answered.texts], [200, []]);
    await eventually('all pages are sent', () => doubles.twilio.sent.length === pages.length);
    assert.deepEqual(
      doubles.twilio.sent.map(({ body }) => body),
      pages,
    );
  });

  test('of which formatting would leave nothing goes out as it is', async () => {
    const usual = doubles.model.answer;
    doubles.model.answer = () => '#';
    assert.deepEqual((await bot.say(ANA, 'reply with exactly: #')).texts, ['#']);
    doubles.model.answer = usual;
  });

  test('with characters that XML does not allow still arrives', async () => {
    doubles.model.queue.push('good\u0000 \u0008bye \ud800 & <b>');
    assert.match((await bot.say(ANA, 'x')).texts[0] ?? '', /^good bye .*& <b>$/);
  });
});

describe('a restart', () => {
  test('remembers everybody', async () => {
    await bot.say(ANA, 'My name is Ana');
    const again = await startBot(doubles);
    await again.say(ANA, 'Hello again');
    await again.stop();
    assert.match(JSON.stringify(shown()), /My name is Ana/);
  });

  test('waits for the turns that run', async () => {
    const stopping = await startBot(doubles);
    doubles.model.delayMs = 300;
    const answer = stopping.say(ANA, 'last words');
    await eventually('the model is asked', () => doubles.model.requests.length === 1);
    await stopping.app.drain();
    assert.deepEqual((await answer).texts, ['You said: last words']);
    await stopping.stop();
  });
});

describe('what is refused', () => {
  const params = () => textMessage({ From: `whatsapp:+${ANA}`, Body: 'hello' });

  test('a wrong, a missing and a replayed-on-another-path signature: 403, nothing stored', async () => {
    const wrong = await postWebhook(`${bot.url}/whatsapp`, 'another-token', params());
    const replayed = await postWebhook(
      `${bot.url}/whatsapp`,
      AUTH_TOKEN,
      params(),
      undefined,
      `${bot.url}/api/whatsapp`,
    );
    const missing = await fetch(`${bot.url}/whatsapp`, { method: 'POST', body: new URLSearchParams(params()) });
    assert.deepEqual([wrong.status, replayed.status, missing.status], [403, 403, 403]);
    assert.match(missing.headers.get('content-type') ?? '', /^text\/xml/);
    assert.deepEqual(await keysLeft(), []);
  });

  test('no sender: 400', async () => {
    const { From: _, ...anonymous } = params();
    const nobody = await postWebhook(`${bot.url}/whatsapp`, AUTH_TOKEN, anonymous);
    assert.equal(nobody.status, 400);
  });

  test('a poll, a view-once picture, a video that was too large: kept, and answered with what the model makes of it', async () => {
    for (const [type, shown] of [
      ['unsupported', '[a message that cannot be shown here]'],
      ['video', '[cannot be shown here: video]'],
      ['Poll', '[cannot be shown here: poll]'],
      ['<b>', '[a message that cannot be shown here]'],
    ] as const) {
      const unread = await bot.say(ANA, '', { MessageType: type });
      assert.equal(unread.status, 200, type);
      assert.equal(unread.texts.length, 1, type);
      const asked = JSON.stringify(doubles.model.requests.at(-1)?.chat);
      assert.ok(asked.includes(shown), asked);
      assert.match(asked, /WhatsApp did not pass on what they sent/);
    }
  });

  test('a reaction, a vote and an edit are remembered and not answered', async () => {
    for (const type of ['reaction', 'poll_vote', 'message-edited']) {
      for (const words of ['', '👍']) {
        const update = await bot.say(ANA, words, { MessageType: type });
        assert.deepEqual([update.status, update.texts], [200, []], type);
      }
    }
    assert.equal(doubles.model.requests.length, 0);
    await bot.say(ANA, 'hello');
    assert.match(
      JSON.stringify(doubles.model.requests.at(-1)?.chat),
      /cannot be shown here: reaction\].*\[reaction\]\\n👍/,
    );
  });

  test('a form and an advertisement are read to the model', async () => {
    const FlowData = JSON.stringify({ flow_token: 'x', screen_0_Guests_0: '4' });
    await bot.say(ANA, 'Sent', { FlowData, MessageType: 'interactive', ReferralHeadline: 'Winter sale' });
    assert.equal(
      lastUserText(doubles.model.requests.at(-1)?.chat ?? assert.fail()),
      '[comes from the ad: Winter sale]\nGuests: 4',
    );
  });

  test('a status on the message address is taken as a status and never answered', async () => {
    const status = { ...params(), MessageStatus: 'delivered', From: 'whatsapp:+14155238886', To: `whatsapp:+${ANA}` };
    assert.equal((await postWebhook(`${bot.url}/whatsapp`, AUTH_TOKEN, status)).status, 204);
    assert.equal(doubles.model.requests.length, 0);
    const events = await doubles.redis.client().xrange('recado:{0}:events', '-', '+');
    assert.equal(JSON.parse(events[0]?.[1][1] ?? '{}').type, 'delivery.changed');
  });
});

/**
 * Tells of every command that a client sends, not of those in scripts. By a connection of its own: ioredis' `monitor` takes a command that
 * comes right behind the answer for an answer. @returns how to stop
 */
async function monitor({ options }: Redis, onCommand: (name: string) => void): Promise<() => void> {
  const socket = options.path ? connect(options.path) : connect(options.port ?? 6_379, options.host);
  socket.setEncoding('utf8');
  let rest = '';
  await new Promise<void>((resolve) => {
    socket.on('data', (chunk) => {
      const lines = (rest + chunk).split('\r\n');
      rest = lines.pop() ?? '';
      for (const line of lines) {
        if (line === '+OK') resolve();
        const [, source, name = ''] = /^\+[\d.]+ \[\d+ (\S+)\] "(\w+)"/.exec(line) ?? [];
        if (source !== undefined && source !== 'lua') onCommand(name.toLowerCase());
      }
    });
    socket.write('MONITOR\r\n');
  });
  return () => socket.destroy();
}
