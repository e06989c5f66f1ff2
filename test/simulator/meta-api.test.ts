/** The simulated Graph API refuses what Meta refuses, and tells what became of a message. */
import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, it } from 'node:test';
import { createLogger } from '../../app/ops/logger.ts';
import type { Delivery } from '../../app/simulator/contract.ts';
import { createMediaShelf, type MediaShelf } from '../../app/simulator/media.ts';
import { type MetaApi, startMetaApi } from '../../app/simulator/meta-api.ts';
import { createMetaFiles, type MetaFiles } from '../../app/simulator/meta-files.ts';
import type { Outgoing } from '../../app/simulator/outgoing.ts';
import { eventually } from '../support/bot.ts';

const TOKEN = 'a-token';
const ANA = '15550100123';
const IDA = 'US.7Q2M9K4TXB3D';
const OWN = { number: '15550100190', phoneNumberId: '106540352242922', accountId: '100000000000191' };
const DAY_MS = 86_400_000;

type Of<Type extends Outgoing['type']> = Extract<Outgoing, { type: Type }>;

describe('the simulated Graph API', () => {
  let api: MetaApi;
  let shelf: MediaShelf;
  let files: MetaFiles;
  let passedMs = 0;
  let isMissing = false;
  const outgoing: Outgoing[] = [];
  const posted: object[] = [];
  const routed: [string, boolean][] = [];
  /** Who has written, and when. */
  const wroteAt = new Map<string, number>();
  const now = () => Date.now() + passedMs;

  before(async () => {
    shelf = createMediaShelf({ accountSid: 'AC', authToken: '', isMissing: () => false, onFetched() {} });
    files = createMetaFiles({ shelf, isMissing: () => isMissing, onFetched() {}, now });
    api = await startMetaApi({
      accessToken: TOKEN,
      own: OWN,
      files,
      isPerson: (contact) => [ANA, IDA, '15550100145'].includes(contact),
      wroteAt: (contact) => wroteAt.get(contact) ?? 0,
      onRouted: (contact, others) => routed.push([contact, others]),
      onOutgoing: (one) => outgoing.push(one),
      onCallback() {},
      post: async (batch) => {
        posted.push(batch);
        const response = { status: 200, contentType: 'text/plain', body: 'OK' };
        return { url: '', signedUrl: '', signature: '', fields: {}, ms: 1, failure: null, response } satisfies Delivery;
      },
      now,
      log: createLogger({ level: 'error', format: 'json', write: () => {} }),
    });
  });
  after(() => api.stop());
  beforeEach(() => {
    passedMs = 0;
    isMissing = false;
    for (const list of [outgoing, posted, routed]) list.length = 0;
    wroteAt.clear();
    for (const contact of [ANA, IDA]) wroteAt.set(contact, Date.now());
  });

  async function call(path: string, body?: object, token = TOKEN) {
    const init = body === undefined ? {} : { method: 'POST', body: JSON.stringify(body) };
    const response = await fetch(`${api.url}/${path}`, { ...init, headers: { authorization: `Bearer ${token}` } });
    // Every answer of this API is an object.
    return { status: response.status, body: (await response.json()) as Record<string, unknown> };
  }
  const send = (body: object) =>
    call(`${OWN.phoneNumberId}/messages`, { messaging_product: 'whatsapp', recipient_type: 'individual', ...body });
  const codeOf = ({ body }: { body: Record<string, unknown> }) => (body.error as { code: number } | undefined)?.code;
  const text = (words: string, to: object = { to: ANA }) => ({ ...to, type: 'text', text: { body: words } });
  const messages = () => outgoing.filter((one): one is Of<'message'> => one.type === 'message');

  it('takes a text, and reports how far it has come, with our own name for it', async () => {
    const { status, body } = await send({ ...text('hello'), biz_opaque_callback_data: 'reply.0' });
    assert.equal(status, 200);
    const [{ id }] = body.messages as [{ id: string }];
    assert.match(id, /^wamid\./);
    assert.deepEqual(body.contacts, [{ input: ANA, wa_id: ANA }]);
    await eventually('it was read', () => posted.length === 3);
    const statuses = posted.map((batch) => JSON.parse(JSON.stringify(batch)).entry[0].changes[0].value.statuses[0]);
    assert.deepEqual(
      statuses.map(({ status }) => status),
      ['sent', 'delivered', 'read'],
    );
    for (const one of statuses)
      assert.deepEqual([one.id, one.recipient_id, one.biz_opaque_callback_data], [id, ANA, 'reply.0']);
    assert.equal(statuses[0].pricing.category, 'service');
  });

  it('reaches numbers as people write them, and people without one by their id', async () => {
    await send(text('one', { to: '+1 (555) 010-0123' }));
    await send(text('two', { recipient: IDA }));
    await send(text('three', { to: ANA, recipient: IDA }));
    assert.deepEqual(
      messages().map(({ contact, text }) => [contact, text]),
      [
        [ANA, 'one'],
        [IDA, 'two'],
        [ANA, 'three'],
      ],
    );
  });

  it('refuses another token, and what it does not know', async () => {
    assert.deepEqual([(await call(OWN.phoneNumberId, undefined, 'another')).status], [401]);
    assert.equal(codeOf(await call(OWN.phoneNumberId, undefined, 'another')), 190);
    assert.equal(codeOf(await call('999/messages', { messaging_product: 'whatsapp', ...text('hello') })), 100);
    assert.equal(codeOf(await call('12345')), 100);
  });

  const refused: [why: string, body: object, code: number][] = [
    ['a text of more than 4,096 characters', text('x'.repeat(4_097)), 100],
    ['an empty text', text(''), 100],
    ['a message without its content', { to: ANA, type: 'text' }, 131008],
    ['a type that is not sent', { to: ANA, type: 'sticker' }, 131051],
    ['nobody', { type: 'text', text: { body: 'hello' } }, 100],
    ['no number', text('hello', { to: 'somebody' }), 100],
    ['an id of nobody', text('hello', { recipient: 'not an id' }), 100],
    ['a number without WhatsApp', text('hello', { to: '15550100999' }), 131026],
    ['four buttons', buttons(4), 100],
    ['a template without a language', { to: ANA, type: 'template', template: { name: 'hello_world' } }, 100],
    ['another product', { ...text('hello'), messaging_product: 'messenger' }, 100],
    ['too long a name of our own', { ...text('hello'), biz_opaque_callback_data: 'x'.repeat(513) }, 100],
  ];
  for (const [why, body, code] of refused)
    it(`refuses ${why}`, async () => {
      const answer = await send(body);
      assert.deepEqual([answer.status, codeOf(answer)], [400, code]);
      assert.deepEqual(messages(), []);
    });

  function buttons(count: number) {
    const all = Array.from({ length: count }, (_, i) => ({ type: 'reply', reply: { id: `b${i}`, title: `Nr. ${i}` } }));
    const interactive = { type: 'button', body: { text: 'Which one?' }, action: { buttons: all } };
    return { to: ANA, type: 'interactive', interactive };
  }

  it('takes no text once the 24 hours are over, or when they never wrote, but a template', async () => {
    passedMs = DAY_MS + 1;
    assert.equal(codeOf(await send(text('still there?'))), 131047);
    const template = { name: 'order_ready', language: { code: 'en' } };
    const parameters = ['Ana', 'Friday'].map((text) => ({ type: 'text', text }));
    const components = [{ type: 'body', parameters }];
    assert.equal((await send({ to: ANA, type: 'template', template: { ...template, components } })).status, 200);
    assert.equal(
      messages()[0]?.text,
      'Hello Ana, your order is ready. You can collect it until Friday.\n[I am on my way]',
    );
    assert.equal(codeOf(await send({ to: ANA, type: 'template', template })), 132001, 'its variables are missing');
    const unknown = { ...template, name: 'no_such_one' };
    assert.equal(codeOf(await send({ to: ANA, type: 'template', template: unknown })), 132001);
    passedMs = 0;
    assert.equal(codeOf(await send(text('we have not met', { to: '15550100145' }))), 131047);
  });

  it('shows buttons and lists as what they offer', async () => {
    await send(buttons(2));
    const rows = [
      { id: 'a', title: 'Rye' },
      { id: 'b', title: 'Wheat' },
    ];
    const action = { button: 'Breads', sections: [{ title: 'Today', rows }] };
    await send({ to: ANA, type: 'interactive', interactive: { type: 'list', body: { text: 'Choose' }, action } });
    assert.deepEqual(
      messages().map(({ text }) => text),
      ['Which one?\n[Nr. 0]\n[Nr. 1]', 'Choose\n[Rye]\n[Wheat]'],
    );
  });

  it('marks a message as read, and shows that somebody types only when asked to', async () => {
    const read = { status: 'read', message_id: 'wamid.X' };
    const typed = () => outgoing.flatMap((one) => (one.type === 'typing' ? [one.messageSid] : []));
    assert.deepEqual((await send(read)).body, { success: true });
    assert.deepEqual(typed(), []);
    await send({ ...read, typing_indicator: { type: 'text' } });
    assert.deepEqual(typed(), ['wamid.X']);
    assert.equal(codeOf(await send({ ...read, message_id: 'SM1' })), 100);
  });

  it('says which number it is', async () => {
    const id = OWN.phoneNumberId;
    assert.deepEqual((await call(`${id}?fields=display_phone_number`)).body, {
      display_phone_number: '+15550100190',
      id,
    });
    assert.deepEqual((await call(`${id}?fields=id`)).body, { id });
  });

  it('gives out a file by its id, at an address that lives for five minutes and needs the token', async () => {
    const { id } = shelf.put(Buffer.from('bytes'), 'image/png', 'a.png');
    const { mediaId } = files.publish(id, 'wamid.X');
    const { body } = await call(mediaId);
    assert.deepEqual([body.mime_type, body.file_size, body.id], ['image/png', '5', mediaId]);
    const url = String(body.url);
    const headers = { authorization: `Bearer ${TOKEN}` };
    assert.equal((await fetch(url)).status, 401);
    const file = await fetch(url, { headers });
    assert.deepEqual([await file.text(), file.headers.get('content-type')], ['bytes', 'image/png']);
    passedMs = 5 * 60_000 + 1;
    assert.equal((await fetch(url, { headers })).status, 404);
    isMissing = true;
    assert.equal(codeOf(await call(mediaId)), 100);
  });

  it('passes threads on, takes them, and gives us one that we write to', async () => {
    const control = (action: string, more: object = { to: ANA }) =>
      call(`${OWN.phoneNumberId}/thread_control`, { messaging_product: 'whatsapp', action, ...more });
    assert.deepEqual((await control('release')).body, { success: true });
    await control('take', { recipient: IDA });
    await send(text('we answer now'));
    assert.deepEqual(routed, [
      [ANA, true],
      [IDA, false],
      [ANA, false],
    ]);
    assert.equal(codeOf(await control('steal')), 100);
    assert.equal(codeOf(await control('release', {})), 100);
  });
});
