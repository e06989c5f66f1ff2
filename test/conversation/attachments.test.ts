import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { after, before, beforeEach, describe, test } from 'node:test';
import sharp, { type Metadata } from 'sharp';
import type { Event, EventOf } from '../../app/events.ts';
import { describeContactCard } from '../../app/media/contact-card.ts';
import { LEAK_EXAMPLES, scrub } from '../../app/privacy/scrub.ts';
import { type ChatRequest, lastUserText } from '../doubles/model.ts';
import { newSid } from '../doubles/twilio.ts';
import { AUTH_TOKEN, type Bot, type Doubles, eventually, startBot, startDoubles } from '../support/bot.ts';
import { deliverWebhook, mediaMessage, postWebhook } from '../support/webhook.ts';

const ANA = 'whatsapp:+15550100101';

let doubles: Doubles;
let bot: Bot;

before(async () => {
  doubles = await startDoubles();
  bot = await startBot(doubles, { OPENAI_TRANSCRIBE_MODEL: 'test-transcribe' });
});

after(async () => {
  await bot.stop();
  await doubles.stop();
});

beforeEach(async () => {
  await doubles.redis.client().flushall();
  doubles.model.requests.length = 0;
  doubles.model.faults.length = 0;
  doubles.twilio.faults.length = 0;
});

const picture = (color: string) =>
  sharp({ create: { width: 640, height: 480, channels: 3, background: color } })
    .jpeg()
    .withExif({ IFD3: { GPSLatitudeRef: 'N' } })
    .toBuffer();

async function send(bytes: Uint8Array, contentType: string, body = '') {
  const url = doubles.twilio.addMedia(bytes, contentType);
  return deliverWebhook(`${bot.url}/whatsapp`, AUTH_TOKEN, mediaMessage(url, contentType, { From: ANA, Body: body }));
}

/** The pictures of the latest request, decoded. */
async function picturesShown(): Promise<Metadata[]> {
  const parts = asked().messages.flatMap(({ content }) => (typeof content === 'string' ? [] : content));
  const urls = parts.flatMap((part) => part.image_url ?? []);
  for (const { url, detail } of urls) {
    assert.match(url, /^data:image\/jpeg;base64,/);
    assert.equal(detail, 'high');
  }
  return Promise.all(urls.map(({ url }) => sharp(Buffer.from(url.split(',')[1] ?? '', 'base64')).metadata()));
}

function asked(): ChatRequest {
  const chats = doubles.model.requests.filter(({ path }) => path.endsWith('/chat/completions'));
  return chats.at(-1)?.chat ?? { model: '', messages: [] };
}

async function history(): Promise<string[]> {
  const lines = await doubles.redis.client().lrange(`recado:{0}:c:${ANA.slice(10)}:history`, 0, -1);
  return lines.map((line) => {
    const { notes = [], text } = JSON.parse(line);
    return [...notes.map((note: string) => `[${note}]`), text].filter((words) => words !== '').join('\n');
  });
}

function waiting(): Promise<number> {
  return doubles.redis.client().llen(`recado:{0}:c:${ANA.slice(10)}:mailbox`);
}

describe('a picture', () => {
  test('is seen by the model, without its metadata, and remembered in words', async () => {
    const answered = await send(await picture('#ff0000'), 'image/jpeg', 'what colour is this?');
    assert.equal(answered.status, 200);
    const [shown] = await picturesShown();
    assert.deepEqual([shown?.width, shown?.height, shown?.exif], [640, 480, undefined]);
    assert.match(lastUserText(asked()), /what colour is this\?/);
    assert.equal((await history())[0], '[picture]\nwhat colour is this?');
  });

  test('without a word gets a question of ours, which is not remembered', async () => {
    await send(await picture('#00ff00'), 'image/jpeg');
    assert.match(lastUserText(asked()), /say what you see/);
    assert.equal((await history())[0], '[picture]');
  });

  test('and its siblings, sent at once, become one question in their order', async () => {
    const colors = ['#ff0000', '#00ff00', '#0000ff'];
    const files = await Promise.all(colors.map(picture));
    const answers = [];
    for (const [i, file] of files.entries()) {
      answers.push(send(file, 'image/jpeg', `number ${i + 1}`));
      await eventually('it waits with the others', async () => (await waiting()) === i + 1);
    }
    const texts = (await Promise.all(answers)).flatMap((answer) => answer.texts);
    assert.equal(texts.length, 1);
    assert.equal(doubles.model.requests.length, 1, 'asked once');
    assert.equal((await picturesShown()).length, 3);
    assert.match(lastUserText(asked()), /number 1[\s\S]*number 2[\s\S]*number 3/);
  });
});

describe('a voice note', () => {
  test('is heard: its words are the message, and what is remembered', async () => {
    doubles.model.transcript = 'Please call me back tomorrow.';
    const answered = await send(
      await readFile(new URL('../fixtures/media/voice.ogg', import.meta.url)),
      'audio/ogg; codecs=opus',
    );
    assert.deepEqual(answered.texts, ['You said: Please call me back tomorrow.']);
    const upload = doubles.model.requests.find(({ path }) => path.endsWith('/audio/transcriptions'))?.upload;
    assert.deepEqual([upload?.filename, upload?.fields.model], ['voice.ogg', 'test-transcribe']);
    assert.equal((await history())[0], 'Please call me back tomorrow.');
  });

  test('carries the id of its webhook through every line of the log, to the reply', async () => {
    bot.logs.length = 0;
    await send(await readFile(new URL('../fixtures/media/voice.ogg', import.meta.url)), 'audio/ogg');
    const idOf = (start: string) =>
      bot.logs.map((line) => JSON.parse(line)).find(({ message }) => message.startsWith(start))?.requestId;
    await eventually('the turn is over', () => idOf('Answered') !== undefined);
    const id = idOf('Successfully downloaded');
    assert.ok(id);
    assert.equal(idOf('A voice note was transcribed'), id);
    assert.equal(idOf('No Twilio URLs found in the final messages'), id);
    assert.equal(idOf('Answered'), id);
  });

  test('with an address of Twilio in its words is scrubbed', async () => {
    doubles.model.transcript = 'look at https://api.twilio.com/secret now';
    await send(await readFile(new URL('../fixtures/media/voice.ogg', import.meta.url)), 'audio/ogg');
    assert.equal((await history())[0], 'look at [MEDIA_CONTENT] now');
  });
});

describe('what the archive is told of a voice note', () => {
  async function events(): Promise<Event[]> {
    const entries = await doubles.redis.client().xrange('recado:{0}:events', '-', '+');
    return entries.map(([, [, event = '']]) => JSON.parse(event));
  }

  test('that somebody listens, and why nothing is known of its words', async () => {
    const before = (await events()).length;
    await send(Buffer.from('OggS but no recording'), 'audio/ogg');
    const told = (await events()).slice(before);
    assert.deepEqual(
      told.map(({ type }) => type).filter((type) => type !== 'reply.sent'),
      ['message.received', 'voice.opened', 'reply.made'],
    );
    const made = told.find((event): event is EventOf<'reply.made'> => event.type === 'reply.made');
    assert.equal(made?.heard[0]?.transcript, null);
    assert.match(made?.heard[0]?.reason ?? '', /^[A-Z].{10,}\.$/);
  });
});

describe('what cannot be read', () => {
  const cases: [string, () => Promise<Uint8Array> | Uint8Array, string, RegExp][] = [
    [
      'a video',
      () => Buffer.from('\0\0\0\x18ftypmp42'),
      'video/mp4',
      /cannot see the video[\s\S]*not open this kind of file/,
    ],
    ['a document', () => Buffer.from('%PDF-1.7'), 'application/pdf', /cannot see the document/],
    ['a contact card', () => Buffer.from('BEGIN:VCARD'), 'text/vcard', /cannot see the contact card/],
    ['an AMR recording', () => Buffer.from('#!AMR\n\0\0\0\0\0'), 'audio/amr', /cannot see the voice note/],
    [
      'a zip that says it is a picture',
      () => Buffer.from('PK\x03\x04aaaaaaaaaaaaaaaaaaaaaaaa'),
      'image/jpeg',
      /cannot see the picture/,
    ],
  ];
  for (const [name, bytes, contentType, expected] of cases) {
    test(`${name}: the model is told what it was and why, and the person gets an answer`, async () => {
      const answered = await send(await bytes(), contentType);
      assert.equal(answered.status, 200);
      assert.equal(answered.texts.length, 1);
      assert.match(lastUserText(asked()), expected);
      assert.deepEqual(await picturesShown(), []);
    });
  }

  test('a file that is refused with 401: an answer, and a log line that names the settings', async () => {
    doubles.twilio.faults.push({ kind: 'status', status: 401, on: 'media' });
    const answered = await send(await picture('#ff0000'), 'image/jpeg', 'see?');
    assert.equal(answered.texts.length, 1);
    assert.ok(bot.logs.some((line) => line.includes('TWILIO_AUTH_TOKEN')));
  });
});

describe('the bytes decide, whatever the provider says of them', () => {
  test('a picture without a type, as a stream of bytes, and under the type of a file that cannot be opened', async () => {
    const streams = ['application/octet-stream', 'x', 'application/x-unknown'];
    for (const contentType of [...streams, 'application/pdf', 'text/plain', 'video/mp4']) {
      await send(await picture('#0000ff'), contentType, 'what is this?');
      assert.equal((await picturesShown()).length, 1, contentType);
    }
  });

  test('a voice note under the name of its container', async () => {
    doubles.model.transcript = 'Call me back.';
    const voice = await readFile(new URL('../fixtures/media/voice.ogg', import.meta.url));
    for (const contentType of ['application/ogg', 'application/octet-stream']) {
      assert.deepEqual((await send(voice, contentType)).texts, ['You said: Call me back.'], contentType);
    }
  });

  test('what is nothing of the kind is refused with its reason', async () => {
    await send(Buffer.from('just some words'), 'application/octet-stream');
    assert.match(lastUserText(asked()), /cannot see the document[\s\S]*not open this kind of file/);
  });
});

describe('a contact card', () => {
  test('with a picture: the padding of its base64 takes nothing of the next line with it', async () => {
    const photo = 'PHOTO;ENCODING=b;TYPE=JPEG:/9j/4AAQSkZJRgABAQ==';
    const bytes = Buffer.from(
      [
        'BEGIN:VCARD',
        'VERSION:3.0',
        photo,
        'FN:Ana Torres',
        'KEY;ENCODING=B:QUJD=',
        'TEL:+1 555 0100',
        'END:VCARD',
      ].join('\r\n'),
    );
    assert.equal(describeContactCard(bytes), 'Ana Torres, +1 555 0100');
  });

  const card = (lines: string[]) => Buffer.from(['BEGIN:VCARD', ...lines, 'END:VCARD', ''].join('\r\n'));

  test('is read out: names, numbers, mail addresses', async () => {
    const cards = Buffer.concat([
      card([
        'VERSION:3.0',
        'N:Torres;Ana;;;',
        'FN:Ana Torres',
        'ORG:Acme\\, Ltd;Sales',
        'item1.TEL;waid=15550100:+1 555 0100',
      ]),
      card([
        'VERSION:4.0',
        'N:Müller;José;;;',
        'TEL;VALUE=uri;TYPE="voice,cell":tel:+44-7700-900123',
        'EMAIL:jose@',
        ' example.com',
      ]),
    ]);
    for (const contentType of ['text/vcard', 'text/x-vcard', 'application/octet-stream']) {
      await send(cards, contentType);
      const [line] = (await history()).slice(-2);
      assert.equal(
        line,
        '[contact card: Ana Torres, Acme, Ltd, Sales, +1 555 0100; José Müller, +44-7700-900123, jose@example.com]',
      );
    }
  });

  test('of an old phone has its letters written as numbers', async () => {
    await send(
      card([
        'VERSION:2.1',
        'N;CHARSET=UTF-8;ENCODING=QUOTED-PRINTABLE:;=E5=BC=A0=',
        '=E4=B8=89;;;',
        'TEL;CELL:+15550101',
      ]),
      'text/x-vcard',
    );
    assert.equal((await history()).at(-2), '[contact card: 张三, +15550101]');
  });
});

test('a picture does not wait for voice notes whose server hangs', async () => {
  const voice = await readFile(new URL('../fixtures/media/voice.ogg', import.meta.url));
  const url = doubles.twilio.addMedia(voice, 'audio/ogg');
  const abort = new AbortController();
  doubles.model.faults.push(...Array.from({ length: 16 }, () => ({ kind: 'hang' }) as const));
  const notes = Array.from({ length: 16 }, (_, i) =>
    postWebhook(
      `${bot.url}/whatsapp`,
      AUTH_TOKEN,
      mediaMessage(url, 'audio/ogg', { From: `whatsapp:+1555010${1000 + i}`, MessageSid: newSid('MM') }),
      abort.signal,
    ).catch(() => null),
  );
  await eventually('eight of them hang', () => doubles.model.open() >= 8);
  doubles.model.faults.length = 0;
  const sent = await send(await picture('#00ff00'), 'image/jpeg', 'quick?');
  assert.equal(sent.texts.length, 1);
  assert.ok(doubles.model.open() >= 8, 'they still hang');
  abort.abort();
  await Promise.all(notes);
});

describe('a place and a button', () => {
  test('are understood', async () => {
    await bot.say(ANA.slice(10), '', {
      Latitude: '51.5132',
      Longitude: '-0.2198',
      Label: 'The Harrow Club',
      Address: '187 Freston Road',
    });
    assert.match(lastUserText(asked()), /\[location: The Harrow Club, 187 Freston Road, 51\.5132, -0\.2198\]/);
    await bot.say(ANA.slice(10), 'Yes', { ButtonText: 'Yes, please', ButtonPayload: 'confirm-7' });
    assert.match(lastUserText(asked()), /pressed the button confirm-7[\s\S]*Yes, please/);
  });
});

describe('after all that', () => {
  test('nothing of Twilio stands in a log line, a request to the model or Redis', async () => {
    await send(await picture('#ff0000'), 'image/jpeg', LEAK_EXAMPLES.map(({ sample }) => sample).join(' '));
    await eventually('the turn is finished', async () => (await doubles.redis.client().keys('*:lease')).length === 0);
    const requests = doubles.model.requests.map(({ chat }) =>
      JSON.stringify(chat.messages, (key, value) => (key === 'image_url' ? undefined : value)),
    );
    const entries = await doubles.redis.client().xrange('recado:{0}:events', '-', '+');
    // What is looked at of an event; it also has ids, which are needed to know a message again.
    const events: { message?: { text: string }; reply?: { parts: string[] } }[] = entries.map(([, fields]) =>
      JSON.parse(fields[1] ?? ''),
    );
    const told = events.flatMap(({ message, reply }) => [message?.text ?? [], reply?.parts ?? []].flat());
    const stored = [...(await history()), ...told];
    assert.ok(stored.length >= 4, 'what was asked and answered, in the history and in the events');
    for (const text of [...bot.logs, ...requests, ...stored]) {
      assert.equal(scrub(text), text);
      assert.ok(!text.includes(AUTH_TOKEN), 'a token');
      assert.doesNotMatch(text, /[A-Za-z0-9+/]{120,}/, 'a run of base64');
    }
    assert.ok(bot.logs.some((line) => /Successfully downloaded \d+ bytes/.test(line)));
    assert.ok(bot.logs.some((line) => line.includes('Image converted to base64 successfully')));
    assert.ok(bot.logs.some((line) => line.includes('No Twilio URLs found in the final messages')));
  });

  test('credentials went to the API alone', () => {
    assert.ok(doubles.twilio.fileRequests.length > 0);
    for (const { headers } of doubles.twilio.fileRequests) assert.equal(headers.authorization, undefined);
  });
});
