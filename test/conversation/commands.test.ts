/** What people may ask of the assistant itself: help, to forget the conversation, a copy of their data, to be forgotten. */
import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';
import { type Bot, type Doubles, eventually, startBot, startDoubles } from '../support/bot.ts';
import { createTestDatabase } from '../support/postgres.ts';

const KEY = 'a-key-of-a-test-0123456789abcdef';

let doubles: Doubles;
let bot: Bot;
let settings: Record<string, string>;
let people = 0;
let phone: string;

before(async () => {
  doubles = await startDoubles();
  settings = { DATABASE_URL: await createTestDatabase(), API_KEYS: KEY, ANALYSIS: 'off' };
  bot = await startBot(doubles, settings);
  await eventually('the archive is there', async () => (await ask('conversations')).success === true);
});

after(async () => {
  await bot.stop();
  await doubles.stop();
});

beforeEach(() => {
  phone = `155501${String(50_000 + people++).slice(-5)}`;
});

const shown = () => JSON.stringify(doubles.model.requests.at(-1)?.chat.messages);

test('help says what one can write, without the model', async () => {
  const asked = doubles.model.requests.length;
  for (const words of ['/help', '/ayuda', 'Hilfe']) {
    phone = `155501${String(50_000 + people++).slice(-5)}`;
    const { texts } = await bot.say(phone, words);
    assert.match(
      texts[0] ?? '',
      /automatic assistant of Bakery Aurora[\s\S]*PERSON[\s\S]*STOP[\s\S]*\/forget me/,
      words,
    );
  }
  assert.equal(doubles.model.requests.length, asked);
  phone = `155501${String(50_000 + people++).slice(-5)}`;
  assert.deepEqual((await bot.say(phone, 'help me find a cake')).texts, ['You said: help me find a cake']);
});

test('a reset is asked back, and forgets the conversation on yes', async () => {
  await bot.say(phone, 'my name is Ana');
  assert.match((await bot.say(phone, '/reset')).texts[0] ?? '', /Answer YES or NO/);
  assert.match((await bot.say(phone, 'no')).texts[0] ?? '', /everything stays/);
  await bot.say(phone, 'still there?');
  assert.match(shown(), /my name is Ana/);
  await bot.say(phone, '/reset');
  assert.match((await bot.say(phone, 'sí')).texts[0] ?? '', /I have forgotten this conversation/);
  await bot.say(phone, 'who am I?');
  assert.doesNotMatch(shown(), /my name is Ana/);
});

test('yes is a word like others when nothing was asked, or when they wrote something else meanwhile', async () => {
  assert.deepEqual((await bot.say(phone, 'yes')).texts, ['You said: yes']);
  await bot.say(phone, 'my name is Ana');
  await bot.say(phone, '/reset');
  await bot.say(phone, 'do you have bread?');
  await bot.say(phone, 'yes');
  assert.match(shown(), /my name is Ana/);
});

test('the memory that is forgotten has its summary, too', async () => {
  await bot.say(phone, 'hello');
  const state = `recado:{0}:c:${phone}:state`;
  await doubles.redis.client().hset(state, 'summary', 'They like rye bread.');
  await bot.say(phone, '/reset');
  await bot.say(phone, 'yes');
  await bot.say(phone, 'what do I like?');
  assert.doesNotMatch(shown(), /rye/);
  assert.equal(await doubles.redis.client().hget(state, 'summary'), null);
});

test('forget me is confirmed, forgets the conversation at once, and asks the team for the rest', async () => {
  await bot.say(phone, 'my name is Ana');
  assert.match((await bot.say(phone, 'delete my data')).texts[0] ?? '', /Answer YES or NO/);
  assert.match((await bot.say(phone, 'YES')).texts[0] ?? '', /asked the team to delete the rest/);
  await eventually('the team sees it', async () => {
    const { conversation } = await ask(`conversation/${phone}`);
    return /deleted, and have confirmed it/.test(conversation?.waiting?.note ?? '');
  });
  const history = await doubles.redis.client().lrange(`recado:{0}:c:${phone}:history`, 0, -1);
  assert.ok(!history.join().includes('Ana'));
});

test('a copy is brought by the team when nobody knows our address', async () => {
  assert.match((await bot.say(phone, '/export')).texts[0] ?? '', /I have asked the team/);
  await eventually('the team sees it', async () => {
    const { conversation } = await ask(`conversation/${phone}`);
    return /copy of what is kept/.test(conversation?.waiting?.note ?? '');
  });
});

test('a copy is a file at an address that nobody can guess, and that expires', async () => {
  const simulated = await startBot(doubles, { ...settings, SIMULATOR: 'on', PORT: new URL(bot.url).port });
  await simulated.say(phone, 'my name is Ben');
  const [text = ''] = (await simulated.say(phone, 'export my data')).texts;
  await simulated.stop();
  const { pathname } = new URL(/http:\S+/.exec(text)?.[0] ?? assert.fail(text));
  await eventually('the archive has the message', async () => {
    const response = await fetch(bot.url + pathname);
    return response.status === 200 && (await response.text()).includes('my name is Ben');
  });
  const response = await fetch(bot.url + pathname);
  assert.match(response.headers.get('content-disposition') ?? '', /attachment; filename="my-data.json"/);
  assert.equal(response.headers.get('cache-control'), 'no-store');
  const copy = (await response.json()) as { addresses: string[]; messages: { from: string; text: string }[] };
  assert.ok(copy.addresses.includes(phone));
  assert.deepEqual(copy.messages[0], {
    at: copy.messages[0] && Reflect.get(copy.messages[0], 'at'),
    from: 'you',
    text: 'my name is Ben',
  });
  assert.equal((await fetch(`${bot.url}/export/${'x'.repeat(32)}`)).status, 404);
  const redis = doubles.redis.client();
  const [key = ''] = await redis.keys('recado:export:*');
  assert.ok((await redis.pttl(key)) > 0, 'it expires');
  assert.ok(!key.includes(pathname.split('/').at(-1) ?? ''), 'the id itself is not kept');
  await redis.del(key);
  assert.equal((await fetch(bot.url + pathname)).status, 404);
});

test('with COMMANDS=false they are words like others', async () => {
  const plain = await startBot(doubles, { ...settings, COMMANDS: 'false' });
  assert.deepEqual((await plain.say(phone, '/help')).texts, ['You said: /help']);
  await plain.stop();
});

// biome-ignore lint/suspicious/noExplicitAny: the bodies are checked by what the tests compare.
async function ask(path: string): Promise<any> {
  return (await fetch(`${bot.url}/api/whatsapp/${path}`, { headers: { 'x-api-key': KEY } })).json();
}
