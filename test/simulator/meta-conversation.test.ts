/** A conversation with the simulated Cloud API number, from end to end: the page's API, signed batches through the real door, the Graph API. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import sharp from 'sharp';
import type { MediaFile, StoredMemory } from '../../app/simulator/contract.ts';
import { metaSignature } from '../doubles/meta.ts';
import { eventually } from '../support/bot.ts';
import { type SimulatedBot, startSimulatedBot } from '../support/simulated-bot.ts';
import { type Phones, type Somebody, switchOn } from '../support/simulated-phones.ts';

describe('a conversation with the Cloud API number', () => {
  let bot: SimulatedBot;
  let phones: Phones;

  before(async () => {
    bot = await startSimulatedBot({ RATE_LIMIT_PER_MINUTE: '1000' });
    phones = await switchOn(bot.url);
  });
  after(async () => {
    phones?.stop();
    await bot?.stop();
  });

  const somebody = (contact?: string) => phones.somebody({ to: 'meta', ...(contact ? { contact } : {}) });
  const answerOf = (person: Somebody, nth = 0) => person.events('answer')[nth]?.text ?? '';
  const taken = (person: Somebody, count: number) =>
    eventually(`${count} webhooks were taken`, () => {
      const responses = person.events('delivered').map(({ delivery }) => delivery.response?.status);
      assert.ok(responses.every((status) => status === 200));
      return responses.length === count;
    });
  /** The one message in the nth batch, and the field it came in. */
  function messageIn(person: Somebody, nth = 0) {
    const { body = '' } = person.events('delivered')[nth]?.delivery ?? {};
    const [change] = JSON.parse(body).entry[0].changes;
    const [message] = (change.value.standby ?? change.value).messages;
    return { field: change.field, message };
  }
  async function historyOf({ contact }: Somebody): Promise<{ role: string; text: string }[]> {
    const { keys } = await phones.ask<StoredMemory>(`/memory?contact=${contact}`);
    const history = keys.find(({ name }) => name === 'history')?.value;
    return Array.isArray(history) ? history : [];
  }
  async function upload(bytes: Buffer, type: string): Promise<string> {
    const file = (await (await phones.upload(bytes, type)).json()) as MediaFile; // as the contract says
    return file.id;
  }

  it('brings a text in a signed batch, and tells the bot what became of the answer', async () => {
    const ana = somebody();
    const { sid } = await ana.write('my name is Žofia 🥐');
    await eventually('read, and told', () => ana.events('told').some(({ state }) => state === 'read'));
    const [delivered] = ana.events('delivered');
    const { body = '', signature, url } = delivered?.delivery ?? assert.fail('it was delivered');
    assert.ok(url.endsWith('/webhook'));
    assert.match(body, /\\u017dofia \\ud83e/, 'what is not ASCII is escaped, as Meta does');
    const { appSecret } = bot.standIns.meta ?? assert.fail('Meta is simulated');
    assert.equal(signature, metaSignature(appSecret ?? '', body));
    const { field, message } = messageIn(ana);
    assert.deepEqual([field, message.id, message.from, message.type], ['messages', sid, ana.contact, 'text']);
    assert.match(answerOf(ana), /Nice to meet you, Žofia/);
    assert.deepEqual(
      ana.events('told').map(({ state, status }) => [state, status]),
      [
        ['sent', 200],
        ['delivered', 200],
        ['read', 200],
      ],
    );
    const [answer] = ana.events('answer');
    assert.deepEqual([answer?.via, answer?.provider, answer?.request?.to], ['graph', 'meta', ana.contact]);
    assert.equal(ana.events('typing')[0]?.sid, sid);
  });

  it('is one person’s, whichever of the two numbers they write to', async () => {
    const ana = somebody();
    await ana.write('remember that the shop opens at nine');
    await ana.answered();
    await ana.write('my name is Vera', { to: 'twilio' });
    await ana.answered(2);
    await ana.write('what is my name?');
    await ana.answered(3);
    assert.match(answerOf(ana, 2), /Vera/);
    assert.deepEqual(
      ana.events('answer').map(({ via }) => via),
      ['graph', 'twiml', 'graph'],
    );
  });

  it('answers somebody who has a username and shows no number', async () => {
    const ida = somebody('US.7Q2M9K4TXB3D');
    await ida.write('hello');
    await ida.answered();
    const { message } = messageIn(ida);
    assert.deepEqual([message.from, message.from_user_id], [undefined, ida.contact]);
    assert.equal(ida.events('answer')[0]?.request?.recipient, ida.contact);
  });

  it('gives a picture to the bot in two steps, and says what is on it', async () => {
    const ana = somebody();
    const picture = { create: { width: 320, height: 200, channels: 3 as const, background: '#1e50c8' } };
    await ana.write('my cake', { media: await upload(await sharp(picture).jpeg().toBuffer(), 'image/jpeg') });
    await ana.answered();
    assert.deepEqual(
      ana.events('fetched').map(({ step, status }) => [step, status]),
      [
        ['api', 200],
        ['cdn', 200],
      ],
    );
    const { message } = messageIn(ana);
    assert.equal(message.image.caption, 'my cake');
    assert.match(message.image.id, /^\d+$/);
    assert.match(answerOf(ana), /320 × 200 pixels/);
  });

  it('says that it cannot open a file which Meta does not give out', async () => {
    const ana = somebody();
    const faults = await phones.ask<object>('/faults');
    await phones.ask('/faults', 'PUT', { ...faults, media: 'missing' });
    try {
      await ana.write('', { media: await upload(Buffer.from('not there'), 'image/jpeg') });
      await ana.answered();
    } finally {
      await phones.ask('/faults', 'PUT', faults);
    }
    assert.match(answerOf(ana), /cannot open it/);
    assert.ok(ana.events('fetched').every(({ step, status }) => step === 'api' && status === 400));
  });

  it('takes a voice note, a place, a contact card and a pressed button', async () => {
    const ana = somebody();
    await ana.write('', { media: await upload(Buffer.from('OggS made up'), 'audio/ogg') });
    await ana.answered(1);
    assert.equal(messageIn(ana, 0).message.audio.voice, true);
    await ana.write('', { location: { latitude: 38.70775, longitude: -9.13659, label: 'Praça do Comércio' } });
    await ana.answered(2);
    await ana.write('', { card: { name: 'Ben Okafor', phone: '+1 555 010 0145' } });
    await ana.answered(3);
    await ana.write('Yes, please', { button: { payload: 'CONFIRM' } });
    await ana.answered(4);
    const { message } = messageIn(ana, 3);
    assert.equal(message.context.id, ana.events('answer')[2]?.sid);
    const asked = ana.events('asked').map(({ messages }) => messages.at(-1)?.text ?? '');
    assert.match(asked[1] ?? '', /Praça do Comércio/);
    assert.match(asked[2] ?? '', /Contact card: Ben Okafor, \+1 555 010 0145/);
    assert.match(asked[3] ?? '', /Yes, please/);
  });

  it('brings edits, reactions and what is taken back, none of which is answered', async () => {
    const ana = somebody();
    const { sid } = await ana.write('two tables for eight');
    await ana.answered();
    await ana.write('one table for eight', { about: { sid, as: 'edit' } });
    await ana.write('👍', { about: { sid: ana.events('answer')[0]?.sid ?? '', as: 'reaction' } });
    await ana.write('', { about: { sid, as: 'revoke' } });
    await taken(ana, 4);
    assert.deepEqual(
      [1, 2, 3].map((nth) => messageIn(ana, nth).message.type),
      ['edit', 'reaction', 'revoke'],
    );
    await eventually('all are remembered', async () => (await historyOf(ana)).length >= 5);
    assert.match(JSON.stringify(await historyOf(ana)), /one table for eight/);
    assert.equal(ana.events('answer').length, 1);
  });

  it('sends what another responder is to answer as standby, which the bot keeps and does not answer', async () => {
    const ana = somebody();
    await ana.write('hello');
    await ana.answered();
    await phones.ask('/routing', 'PUT', { contact: ana.contact, other: true });
    await ana.write('where is my parcel?');
    await taken(ana, 2);
    assert.equal(messageIn(ana, 1).field, 'standby');
    await eventually('it is kept', async () => JSON.stringify(await historyOf(ana)).includes('where is my parcel?'));
    assert.equal(ana.events('answer').length, 1);

    await phones.ask('/routing', 'PUT', { contact: ana.contact, other: false });
    await eventually('both are told', () => ana.events('routed').length === 2);
    const passed = ana.events('routed').at(-1)?.delivery ?? assert.fail('the control was passed');
    assert.equal(passed.response?.status, 200);
    const [change] = JSON.parse(passed.body ?? '').entry[0].changes;
    assert.equal(change.field, 'messaging_handovers');
    assert.deepEqual([change.value.type, change.value.sender.phone_number], ['control_passed', ana.contact]);
    assert.match(change.value.control_passed.conversation_context.summary.text, /where is my parcel\?/);

    await ana.write('are you there?');
    await ana.answered(2);
    assert.equal(messageIn(ana, 2).field, 'messages');
  });

  it('brings a message once more with the same id, and it is not answered again', async () => {
    const ana = somebody();
    const { sid } = await ana.write('twice');
    await ana.answered();
    await phones.ask(`/messages/${sid}/repeat`, 'POST', {});
    await taken(ana, 2);
    const bodies = ana.events('delivered').map(({ delivery }) => delivery.body);
    assert.equal(bodies[0], bodies[1]);
    assert.equal(ana.events('answer').length, 1);
  });

  it('refuses what nobody could do: change a message of somebody else, an empty edit, a card to the Twilio number', async () => {
    const [ana, ben] = [somebody(), somebody()];
    const { sid } = await ana.write('mine');
    const { sid: onTwilio } = await ben.write('other number', { to: 'twilio' });
    const refused = async (body: object) =>
      (await phones.call('/messages', 'POST', { profileName: 'x', text: '', to: 'meta', ...body })).status;
    const { contact } = ben;
    assert.equal(await refused({ contact, about: { sid, as: 'revoke' } }), 400);
    assert.equal(await refused({ contact, about: { sid: onTwilio, as: 'revoke' } }), 400);
    assert.equal(await refused({ contact: ana.contact, about: { sid, as: 'edit' }, text: ' ' }), 400);
    assert.equal(await refused({ contact, to: 'twilio', card: { name: 'Ben', phone: '+1 555 010 0145' } }), 400);
    assert.equal(await refused({ contact }), 400);
  });
});
