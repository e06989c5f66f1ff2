/** Files and choices that go with a message of the team. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { startDesk, type TestDesk } from './desk.ts';

const ANA = '15550104501';
const FILE = { type: 'document', url: 'https://example.com/menu.pdf', filename: 'Menu.pdf' };

let desk: TestDesk;
before(async () => {
  desk = await startDesk();
  await desk.say(ANA, 'what is on the menu?');
});
after(() => desk.stop());

const send = (body: Record<string, unknown>) => desk.ask('POST', '/api/whatsapp/send', { to_number: ANA, ...body });

test('a file goes out with its words, and is in the thread', async () => {
  const { status, body } = await send({ message: 'Here it is', file: FILE });
  assert.equal(status, 200, JSON.stringify(body));
  const sent = desk.doubles.twilio.sent.at(-1);
  assert.deepEqual([sent?.sid, sent?.body, sent?.mediaUrl], [body.message_sid, 'Here it is', FILE.url]);
  await desk.recorder.catchUp();
  const thread = await desk.ask('GET', `/api/whatsapp/conversation/${ANA}`);
  assert.equal(thread.body.messages[0].message_body, `Here it is\n\n[document] ${FILE.url}`);
});

test('a file needs no words, and is not sent twice when nobody knows whether it was sent', async () => {
  const before = desk.doubles.twilio.sent.length;
  desk.doubles.twilio.faults.push({ kind: 'reset', done: true, on: 'create' });
  const { status } = await send({ file: { type: 'audio', url: 'https://example.com/a.ogg' } });
  assert.equal(status, 200);
  assert.equal(desk.doubles.twilio.sent.length, before + 1);
});

test('choices are lines of the text where they cannot be pressed', async () => {
  const choices = [
    { id: 'in', title: 'Inside' },
    { id: 'out', title: 'Outside', description: 'in the garden' },
  ];
  assert.equal((await send({ message: 'Where do you want to sit?', choices })).status, 200);
  assert.equal(
    desk.doubles.twilio.sent.at(-1)?.body,
    'Where do you want to sit?\n\n1. Inside\n2. Outside: in the garden',
  );
});

test('what cannot be sent is refused with the reason', async () => {
  const choices = [{ id: 'a', title: 'A' }];
  const cases: [Record<string, unknown>, RegExp][] = [
    [{}, /words/],
    [{ message: 'x', file: FILE, choices }, /not both/],
    [{ message: 'x'.repeat(1_025), file: FILE }, /1,024/],
    [{ message: 'x', file: { ...FILE, type: 'audio' } }, /no words/],
    [{ message: 'x', file: { ...FILE, url: 'http://example.com/a.pdf' } }, /url/i],
    [{ message: 'x', choices: [...choices, ...choices] }, /different id/],
    [{ message: 'x', choices: Array.from({ length: 11 }, (_, i) => ({ id: `${i}`, title: 'x' })) }, /10/],
  ];
  for (const [body, reason] of cases) {
    const refused = await send(body);
    assert.deepEqual([refused.status, refused.body.code], [400, 'request.invalid'], JSON.stringify(body));
    assert.match(refused.body.error, reason);
  }
});

test('what was sent under a name is not sent again under it', async () => {
  const before = desk.doubles.twilio.sent.length;
  const message = { message: 'I am on my way', idempotency_key: 'way-1' };
  const first = await send(message);
  const again = await send(message);
  assert.deepEqual([first.status, again.body], [200, first.body]);
  assert.equal(desk.doubles.twilio.sent.length, before + 1);
});
