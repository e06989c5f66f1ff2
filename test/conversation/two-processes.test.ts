import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { lastUserText } from '../doubles/model.ts';
import { AUTH_TOKEN, type Doubles, eventually, startDoubles } from '../support/bot.ts';
import { type Program, startProgram } from '../support/program.ts';
import { deliverWebhook, textMessage } from '../support/webhook.ts';

const CONTACTS = 300;
const MESSAGES = 10;

let doubles: Doubles;
const processes: Program[] = [];
const urls: string[] = [];

before(async () => {
  doubles = await startDoubles();
  for (let i = 0; i < 2; i++) processes.push(await startProgram(doubles));
  urls.push(...processes.map(({ url }) => url));
});

after(async () => {
  for (const program of processes) {
    program.kill('SIGTERM');
    await program.ended();
  }
  await doubles.stop();
});

const phone = (contact: number) => `1555010${String(contact).padStart(4, '0')}`;

/** What the model double repeats: which messages an answer answers. */
const wordsIn = (texts: string[]) => texts.flatMap((text) => text.match(/c\d+m\d+/g) ?? []);

test('300 people with 10 messages each over two processes: none lost, none doubled, none out of order', {
  timeout: 600_000,
}, async () => {
  doubles.model.answer = async (request) => {
    await new Promise((resolve) => setTimeout(resolve, Math.random() * 40));
    return `Answer to ${lastUserText(request)}`;
  };
  const delivered = new Map<number, string[]>();
  const waitingBodies = new Map(Array.from({ length: CONTACTS }, (_, i) => [phone(i), i]));

  async function write(contact: number): Promise<void> {
    const posts: Promise<void>[] = [];
    for (let i = 0; i < MESSAGES; i++) {
      const params = textMessage({ From: `whatsapp:+${phone(contact)}`, Body: `c${contact}m${i}` });
      const post = deliverWebhook(`${urls[(contact + i) % 2]}/whatsapp`, AUTH_TOKEN, params).then(
        ({ status, texts }) => {
          assert.equal(status, 200);
          delivered.set(contact, [...(delivered.get(contact) ?? []), ...wordsIn(texts)]);
        },
      );
      posts.push(post);
      // Some people write in one go, some wait for the answer; what was sent first must be accepted first to have an order.
      if (i % 3 === 0) await post;
      else await new Promise((resolve) => setTimeout(resolve, 5 + Math.random() * 20));
    }
    await Promise.all(posts);
  }

  const contacts = Array.from({ length: CONTACTS }, (_, i) => i);
  await Promise.all(
    Array.from({ length: 24 }, async () => {
      for (let contact = contacts.shift(); contact !== undefined; contact = contacts.shift()) await write(contact);
    }),
  );
  const client = doubles.redis.client();
  await eventually('everything is finished', async () => (await client.keys('recado:{*}:due')).length === 0);

  for (const { to, body } of doubles.twilio.sent) {
    const contact = waitingBodies.get(to.replace('whatsapp:+', ''));
    assert.ok(contact !== undefined, `an answer to a stranger: ${to}`);
    delivered.set(contact, [...(delivered.get(contact) ?? []), ...wordsIn([body])]);
  }
  for (let contact = 0; contact < CONTACTS; contact++) {
    const expected = Array.from({ length: MESSAGES }, (_, i) => `c${contact}m${i}`);
    const lines = await client.lrange(`recado:{0}:c:${phone(contact)}:history`, 0, -1);
    const history = lines.map((line) => JSON.parse(line));
    const asked = history.filter(({ role }) => role === 'user').map(({ text }) => text);
    const answered = history.filter(({ role }) => role === 'assistant').flatMap(({ text }) => wordsIn([text]));
    assert.deepEqual([...asked].sort(), [...expected].sort(), 'every message is in the history once');
    assert.deepEqual(answered, asked, 'answers cover the messages in their order, each once');
    assert.deepEqual(
      [...(delivered.get(contact) ?? [])].sort(),
      [...expected].sort(),
      'every answer was delivered, once',
    );
  }
  const left = new Set((await client.keys('recado:*')).map((key) => key.split(':').at(-1)));
  left.delete('rate'); // this minute's count of messages
  left.delete('handed'); // kept some minutes, for repeats
  for (const counted of ['blocks', 'spam']) left.delete(counted); // this hour's
  const kept = ['alias', 'events', 'format', 'history', 'places', 'processes', 'seen', 'state'];
  assert.deepEqual([...left].sort(), kept);
});
