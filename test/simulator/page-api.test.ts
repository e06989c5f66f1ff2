import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { MediaFile, People, StoredMemory } from '../../app/simulator/contract.ts';
import { eventually } from '../support/bot.ts';
import { type SimulatedBot, startSimulatedBot } from '../support/simulated-bot.ts';
import { follow, type Phones, switchOn } from '../support/simulated-phones.ts';

describe('the page’s side of the simulator', () => {
  let bot: SimulatedBot;
  let phones: Phones;

  before(async () => {
    bot = await startSimulatedBot({ TWIML_DEADLINE_MS: '3000', RATE_LIMIT_PER_MINUTE: '1000' });
    phones = await switchOn(bot.url);
  });
  after(async () => {
    phones?.stop();
    await bot?.stop();
  });

  const somebody = () => phones.somebody();
  const call: Phones['call'] = (...args) => phones.call(...args);
  const upload: Phones['upload'] = (...args) => phones.upload(...args);
  // What the routes answer is written down in the contract.
  const ask = <Answer>(path: string, method?: string, body?: unknown) => phones.ask<Answer>(path, method, body);

  it('tells who can be played, one of them without a number', async () => {
    const { people, ...numbers } = await ask<People>('/people');
    assert.deepEqual(numbers, { business: '14155238886', cloudBusiness: '15550100190' });
    assert.ok(people.length >= 4);
    assert.equal(people.filter(({ contact }) => !/^\d+$/.test(contact)).length, 1);
  });

  it('brings a text as Twilio does, and tells what happened in its order', async () => {
    const ana = somebody();
    const { sid } = await ana.write('hello');
    await eventually('read, and told', () => ana.events('told').some(({ state }) => state === 'read'));
    const [delivered] = ana.events('delivered');
    assert.equal(delivered?.delivery.fields.MessageSid, sid);
    assert.equal(delivered?.delivery.fields.From, `whatsapp:+${ana.contact}`);
    assert.match(delivered?.delivery.signature ?? '', /^[\w+/]{27}=$/);
    assert.equal(delivered?.delivery.response?.status, 200);
    const becomes = ['status', 'told', 'status', 'told', 'status', 'told'];
    assert.deepEqual(ana.order(), ['written', 'asked', 'replied', 'delivered', 'answer', ...becomes]);
    assert.deepEqual(
      ana.events('told').map(({ state, status }) => [state, status]),
      [
        ['sent', 204],
        ['delivered', 204],
        ['read', 204],
      ],
    );
    assert.equal(ana.events('answer')[0]?.via, 'twiml');
  });

  it('writes down what the model was shown, with what it costs', async () => {
    const ana = somebody();
    await ana.write('the media is at https://api.twilio.com/2010-04-01/Accounts/AC0/x');
    await ana.answered();
    const [asked] = ana.events('asked');
    assert.equal(asked?.purpose, 'answer');
    assert.deepEqual(
      asked?.messages.map(({ role }) => role),
      ['system', 'user'],
    );
    assert.match(asked?.messages[1]?.text ?? '', /\[MEDIA_CONTENT\]/);
    assert.ok((asked?.messages[0]?.tokens ?? 0) > 20);
    assert.equal(ana.events('replied')[0]?.ask, asked?.ask);
  });

  it('marks a slow answer as one by REST, with typing before it', async () => {
    const ana = somebody();
    const { sid } = await ana.write('answer in 5 seconds');
    await ana.answered();
    assert.equal(ana.events('typing')[0]?.sid, sid);
    const [answer] = ana.events('answer');
    assert.equal(answer?.via, 'rest');
    assert.equal(answer?.request?.To, `whatsapp:+${ana.contact}`);
  });

  it('gives files to the bot only by way of the account’s password, and shows them to the page', async () => {
    const ana = somebody();
    const stored = await upload(PNG, 'image/png');
    assert.equal(stored.status, 201);
    const file = (await stored.json()) as MediaFile; // as the contract says
    await ana.write('look', { media: file.id });
    await ana.answered();
    assert.deepEqual(
      ana.events('fetched').map(({ step, status }) => [step, status]),
      [
        ['api', 307],
        ['cdn', 200],
      ],
    );
    const { fields } = ana.events('delivered')[0]?.delivery ?? {};
    assert.deepEqual([fields?.NumMedia, fields?.MessageType, fields?.Body], ['1', 'image', 'look']);
    const url = fields?.MediaUrl0 ?? '';
    assert.equal((await fetch(url)).status, 401);
    const { accountSid, authToken } = bot.standIns.twilio ?? assert.fail('Twilio is simulated');
    const basic = `Basic ${Buffer.from(`${accountSid}:${authToken}`).toString('base64')}`;
    const redirect = await fetch(url, { headers: { authorization: basic }, redirect: 'manual' });
    const place = new URL(redirect.headers.get('location') ?? '', url);
    assert.equal(
      (await fetch(place, { headers: { authorization: basic } })).status,
      400,
      'a password for somebody else',
    );
    assert.deepEqual(Buffer.from(await (await fetch(place)).arrayBuffer()), PNG);
    const shown = await fetch(`${bot.url}/simulator/api/media/${file.id}`);
    assert.equal(shown.headers.get('content-type'), 'image/png');
    assert.match(shown.headers.get('content-security-policy') ?? '', /sandbox/);
  });

  it('never shows a file as a page', async () => {
    const file = (await (await upload(Buffer.from('<script>1</script>'), 'text/html')).json()) as MediaFile; // as the contract says
    const shown = await fetch(`${bot.url}/simulator/api/media/${file.id}`);
    assert.equal(shown.headers.get('content-type'), 'application/octet-stream');
    assert.equal(shown.headers.get('content-disposition'), 'attachment');
    assert.equal(shown.headers.get('x-content-type-options'), 'nosniff');
  });

  it('brings a message once more with the same id', async () => {
    const ana = somebody();
    const { sid } = await ana.write('twice');
    await ana.answered();
    await ask(`/messages/${sid}/repeat`, 'POST', {});
    await eventually('a second delivery', () => ana.events('delivered').length === 2);
    assert.deepEqual(
      ana.events('delivered').map(({ attempt, delivery }) => [attempt, delivery.fields.MessageSid]),
      [
        [1, sid],
        [2, sid],
      ],
    );
    assert.equal(ana.events('answer').length, 1);
  });

  it('brings messages in another order than they were written', async () => {
    const ana = somebody();
    const messages = ['first', 'second'].map((text) => ({ contact: ana.contact, profileName: 'Ana', text }));
    await ask('/batch', 'POST', { messages, order: 'reversed' });
    await eventually('both', () => ana.events('delivered').length === 2);
    assert.deepEqual(
      ana.events('written').map(({ message }) => message.text),
      ['first', 'second'],
    );
    let texts: string[] = [];
    await eventually('both are committed', async () => {
      const { keys } = await ask<StoredMemory>(`/memory?contact=${ana.contact}`);
      const history = keys.find(({ name }) => name === 'history')?.value;
      texts = Array.isArray(history) ? history.filter(({ role }) => role === 'user').map(({ text }) => text) : [];
      return texts.length >= 2;
    });
    assert.deepEqual(texts, ['second', 'first']);
  });

  it('lets the model fail, and mends it again', async () => {
    const ana = somebody();
    const well = { model: 'well', slowMs: 1_000, media: 'well' };
    await ask('/faults', 'PUT', { ...well, model: 'refusing' });
    await ana.write('anybody there?');
    await ana.answered();
    assert.equal(ana.events('replied')[0]?.status, 401);
    assert.match(ana.events('answer')[0]?.text ?? '', /Sorry/);
    await ask('/faults', 'PUT', { ...well, model: 'slow' });
    await ana.write('and now?');
    await ana.answered(2);
    assert.ok((ana.events('replied').at(-1)?.ms ?? 0) >= 1_000);
    await ask('/faults', 'PUT', well);
    assert.deepEqual(await ask('/faults'), well);
  });

  it('forgets a person, in the store and on the phone, and nobody else', async () => {
    const [ana, ben] = [somebody(), somebody()];
    await ana.write('remember that the shop opens at nine');
    await ben.write('remember that the shop closes at ten');
    await Promise.all([ana.answered(), ben.answered()]);
    await eventually('the turns ended', async () => {
      const { keys } = await ask<StoredMemory>(`/memory?contact=${ana.contact}`);
      return !keys.some(({ name }) => name === 'lease');
    });
    await eventually('nothing is under way to her', () => ana.events('told').some(({ state }) => state === 'read'));
    assert.equal((await call('/forget', 'POST', { contact: ana.contact })).status, 204);
    assert.deepEqual(await ask(`/memory?contact=${ana.contact}`), { keys: [] });
    assert.ok((await ask<StoredMemory>(`/memory?contact=${ben.contact}`)).keys.length > 0);
    const again = await follow(bot.url);
    await eventually('everything was told', () => again.ready());
    again.stop();
    assert.deepEqual(
      again.events.filter(({ contact }) => contact === ana.contact).map(({ type }) => type),
      ['forgotten'],
    );
  });

  it('goes on where a page left off, and begins anew when it does not know the place', async () => {
    const ana = somebody();
    await ana.write('one');
    await ana.answered();
    const seen = ana.events('answer')[0]?.id ?? '';
    const later = phones.events.slice(phones.events.findIndex(({ id }) => id === seen) + 1);
    const resumed = await follow(bot.url, seen);
    await eventually('what was missed', () => resumed.ready());
    assert.deepEqual(resumed.events.slice(0, later.length), later);
    assert.equal(resumed.resets(), 0);
    resumed.stop();
    const anew = await follow(bot.url, '00000000-1');
    await eventually('everything', () => anew.ready());
    assert.equal(anew.resets(), 1);
    anew.stop();
  });

  const nonsense: [name: string, body: unknown][] = [
    ['nobody', { contact: '', profileName: 'x', text: 'x' }],
    ['no number', { contact: 'not a number', profileName: 'x', text: 'x' }],
    ['nothing to send', { contact: '15550100123', profileName: 'x', text: ' ' }],
    ['a file that is gone', { contact: '15550100123', profileName: 'x', text: '', media: `ME${'0'.repeat(32)}` }],
    ['too long a text', { contact: '15550100123', profileName: 'x', text: 'x'.repeat(4_097) }],
    [
      'no place on earth',
      { contact: '15550100123', profileName: 'x', text: '', location: { latitude: 91, longitude: 0 } },
    ],
  ];
  for (const [name, body] of nonsense)
    it(`refuses a message with ${name}`, async () => assert.equal((await call('/messages', 'POST', body)).status, 400));

  it('refuses files that are too large or empty', async () => {
    assert.equal((await upload(Buffer.alloc(24 * 1_024 * 1_024 + 1), 'image/png')).status, 413);
    assert.equal((await upload(Buffer.alloc(0), 'image/png')).status, 400);
  });

  it('refuses what another site’s page sends', async () => {
    const body = { contact: '15550100123', profileName: 'x', text: 'x' };
    assert.equal((await call('/messages', 'POST', body, { 'Sec-Fetch-Site': 'cross-site' })).status, 400);
    const form = await call('/messages', 'POST', undefined, { 'Content-Type': 'text/plain' });
    assert.equal(form.status, 400);
  });
});

describe('the simulator', () => {
  it('is not there when a real account is configured', async () => {
    const bot = await startSimulatedBot({
      TWILIO_ACCOUNT_SID: `AC${'0'.repeat(32)}`,
      TWILIO_AUTH_TOKEN: 'token',
      OPENAI_BASE_URL: 'http://127.0.0.1:9/v1',
    });
    const statuses = await Promise.all(
      ['/simulator', '/simulator/api/people', '/simulator/stream?contact=15550100123'].map(
        async (path) => (await fetch(bot.url + path)).status,
      ),
    );
    await bot.stop();
    assert.deepEqual(statuses, [404, 404, 404]);
  });
});

/** One red pixel. */
const PNG = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAIAAACQd1PeAAAADElEQVR4nGP4z8AAAAMBAQDJ/pLvAAAAAElFTkSuQmCC',
  'base64',
);
