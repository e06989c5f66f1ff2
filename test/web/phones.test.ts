import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Delivery, PageEvent, PageEventBody } from '../../app/simulator/contract.ts';
import { wireEntries, wireGroups } from '../../app/web/simulator/drawer/timeline.ts';
import { asRead, chatOf, EMPTY_PHONE, withEvents } from '../../app/web/simulator/phones.ts';

const ANA = '15550100123';
const BEN = '15550100145';

let count = 0;
function event(body: PageEventBody, contact = ANA, at = 1_000): PageEvent {
  return { id: `e-${++count}`, at, provider: 'twilio', contact, ...body };
}

function written(sid: string, contact = ANA, at = 1_000): PageEvent {
  return event({ type: 'written', sid, message: { contact, profileName: 'Ana', text: `text of ${sid}` } }, contact, at);
}

function delivered(sid: string, status: number | null, overrides: Partial<Delivery> = {}, attempt = 1): PageEvent {
  const response = status === null ? null : { status, contentType: 'text/xml', body: '<Response/>' };
  const delivery = { url: '', signedUrl: '', signature: '', fields: {}, ms: 5, failure: null, ...overrides, response };
  return event({ type: 'delivered', sid, attempt, delivery });
}

function answer(sid: string, contact = ANA, at = 1_000): PageEvent {
  return event({ type: 'answer', sid, via: 'twiml', text: 'yes', request: null }, contact, at);
}

function phoneAfter(...events: PageEvent[]) {
  return withEvents(new Map(), events, ANA).get(ANA) ?? EMPTY_PHONE;
}

function ticksAfter(...events: PageEvent[]) {
  return phoneAfter(...events).messages.map(({ mine, ticks, trouble }) =>
    mine ? (trouble ? 'trouble' : ticks) : 'answer',
  );
}

describe('a phone', () => {
  it('keeps what is written to the two numbers apart, and forgets both', () => {
    const meta = (event: PageEvent): PageEvent => ({ ...event, provider: 'meta' });
    const events = [written('m1'), meta(written('m2')), meta(answer('a1'))];
    const phones = withEvents(new Map(), events, ANA);
    assert.deepEqual(
      phones.get(ANA)?.messages.map(({ sid }) => sid),
      ['m1'],
    );
    const chat = chatOf('meta', ANA);
    assert.deepEqual(
      phones.get(chat)?.messages.map(({ sid }) => sid),
      ['m2', 'a1'],
    );
    assert.equal(phones.get(chat)?.unread, 1);
    const forgotten = withEvents(phones, [event({ type: 'forgotten' })], ANA);
    assert.deepEqual([forgotten.get(ANA)?.messages, forgotten.get(chat)?.messages], [[], []]);
  });

  it('shows edits, reactions and deletions at the message that they are about', () => {
    const about = (as: 'edit' | 'revoke' | 'reaction', text: string, sid = 'm1') =>
      event({
        type: 'written',
        sid: `${as}-${text}`,
        message: { contact: ANA, profileName: 'Ana', text, about: { sid, as } },
      });
    const shown = (...events: PageEvent[]) =>
      phoneAfter(written('m1'), ...events).messages.map(({ text, change, reaction }) => [text, change, reaction]);
    assert.deepEqual(shown(about('edit', 'changed')), [['changed', 'edited', '']]);
    assert.deepEqual(shown(about('reaction', '👍')), [['text of m1', null, '👍']]);
    assert.deepEqual(shown(about('reaction', '👍'), about('reaction', '')), [['text of m1', null, '']]);
    assert.deepEqual(shown(about('edit', 'changed'), about('revoke', '')), [['', 'revoked', '']]);
    assert.deepEqual(shown(about('revoke', '', 'of another day')), [['text of m1', null, '']]);
  });

  it('ticks once when it is sent, twice when it was taken, blue when it was answered', () => {
    assert.deepEqual(ticksAfter(written('1')), ['sent']);
    assert.deepEqual(ticksAfter(written('1'), delivered('1', 200)), ['delivered']);
    assert.deepEqual(ticksAfter(written('1'), delivered('1', 200), answer('2')), ['read', 'answer']);
    assert.deepEqual(ticksAfter(written('1'), answer('2'), delivered('1', 200)), ['read', 'answer']);
  });

  it('takes “typing…” for a sign that everything before was read', () => {
    const events = [written('1'), written('2'), written('3'), event({ type: 'typing', sid: '2' }, ANA, 5_000)];
    assert.deepEqual(ticksAfter(...events), ['read', 'read', 'sent']);
    assert.equal(phoneAfter(...events).typingSince, 5_000);
    assert.equal(phoneAfter(...events, answer('4')).typingSince, null);
  });

  it('says what went wrong until it arrives at another delivery', () => {
    assert.deepEqual(ticksAfter(written('1'), delivered('1', 503)), ['trouble']);
    assert.deepEqual(ticksAfter(written('1'), delivered('1', 503), answer('9')), ['trouble', 'answer']);
    assert.deepEqual(ticksAfter(written('1'), delivered('1', 503), delivered('1', 200, {}, 2)), ['delivered']);
    assert.deepEqual(ticksAfter(written('1'), delivered('1', null, { failure: 'unreachable' })), ['trouble']);
  });

  it('forgives a slow webhook when the answer comes after all', () => {
    const slow = [written('1'), delivered('1', null, { failure: 'timeout' })];
    assert.deepEqual(ticksAfter(...slow), ['trouble']);
    assert.deepEqual(ticksAfter(...slow, answer('2')), ['read', 'answer']);
  });

  it('counts answers that nobody saw, but not while old ones are told again', () => {
    const unread = (looking: string | null) => withEvents(new Map(), [answer('1', BEN), answer('2', BEN)], looking);
    assert.equal(unread(ANA).get(BEN)?.unread, 2);
    assert.equal(unread(BEN).get(BEN)?.unread, 0);
    assert.equal(unread(null).get(BEN)?.unread, 0);
    assert.equal(asRead(unread(ANA), BEN).get(BEN)?.unread, 0);
  });

  it('is empty when everything was forgotten', () => {
    assert.deepEqual(phoneAfter(written('1'), answer('2'), event({ type: 'forgotten' })).messages, []);
  });
});

describe('the wire', () => {
  it('tells where the time went', () => {
    const asked: PageEventBody = { type: 'asked', ask: 'a', model: 'm', purpose: 'answer', messages: [], maxTokens: 8 };
    const replied = { type: 'replied', ask: 'a', ms: 300, status: 200, text: 'yes', tokens: null } as const;
    const log = [written('1', ANA, 0), event(asked, ANA, 20), event(replied, ANA, 320), answer('2', ANA, 350)];
    const [webhook, model] = wireEntries(log);
    assert.deepEqual(webhook?.kind === 'webhook' && webhook.stages, { before: 20, model: 300, after: 30 });
    assert.equal(model?.kind === 'model' && model.replied?.text, 'yes');
  });

  it('has an entry for each delivery of a message, and what became of an answer', () => {
    const status = event({ type: 'status', sid: '2', state: 'sent' });
    const told = event({
      type: 'told',
      sid: '2',
      state: 'sent',
      url: 'https://bot.example.com/twilio/status',
      status: 204,
    });
    const log = [written('1'), delivered('1', 200), answer('2'), status, told, delivered('1', 200, {}, 2)];
    const entries = wireEntries(log);
    assert.deepEqual(
      entries.map((entry) => (entry.kind === 'webhook' ? `webhook ${entry.attempt}` : entry.kind)),
      ['webhook 1', 'answer', 'webhook 2'],
    );
    const [, sent] = entries;
    assert.deepEqual(sent?.kind === 'answer' && sent.states.map(({ state, told }) => [state, told]), [['sent', 204]]);
  });

  it('puts what belongs to one answer together: messages in a row, repeats with their message', () => {
    const forgotten = event({ type: 'forgotten' });
    const log = [
      ...[written('1'), written('2'), delivered('1', 200), answer('3')],
      ...[written('4'), answer('5'), delivered('1', 200, {}, 2)],
      ...[forgotten, written('6')],
    ];
    const kinds = wireGroups(log).map(({ messages, entries }) => [messages.length, entries.map(({ kind }) => kind)]);
    assert.deepEqual(kinds, [
      [2, ['webhook', 'webhook', 'answer', 'webhook']],
      [1, ['webhook', 'answer']],
      [0, ['forgotten']],
      [1, ['webhook']],
    ]);
  });
});
