import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ArchivedConversation } from '../../app/archive/read/conversations.ts';
import type { ArchivedMessage } from '../../app/archive/read/messages.ts';
import { explainTwilioCode } from '../../app/channels/twilio/explain.ts';
import { FAILURES } from '../../app/errors.ts';
import { Conversation, DeadLetter, Message } from '../../app/inbox/contract.ts';
import { explainDelivery, explainFailure } from '../../app/inbox/explanations.ts';
import { presentConversation, presentDeadLetter, presentMessage } from '../../app/inbox/present.ts';
import { scrub } from '../../app/privacy/scrub.ts';

const NOON = Date.parse('2026-11-23T12:00:00Z');
const HOUR_MS = 3_600_000;

function message(overrides: Partial<ArchivedMessage> = {}): ArchivedMessage {
  return {
    id: '00000000-0000-4000-8000-000000000001',
    sid: 'SMxyz',
    conversationId: '00000000-0000-4000-8000-000000000002',
    channel: 'twilio',
    phone: '+15550100101',
    contactName: 'Ana',
    from: '+14155238886',
    to: '+15550100101',
    direction: 'outbound',
    author: 'bot',
    body: 'hello',
    type: 'text',
    media: [],
    location: null,
    buttonPayload: null,
    template: null,
    inReplyTo: null,
    quoted: null,
    forwarded: false,
    referral: null,
    transcription: null,
    transcriptionStatus: null,
    analysis: null,
    task: null,
    taskCreated: false,
    taskCreation: null,
    status: 'replied',
    unread: false,
    processed: true,
    processingError: null,
    prospectId: null,
    receivedAt: NOON,
    processedAt: null,
    answeredAt: null,
    turnId: 'turn',
    failure: null,
    delivery: { state: 'sent', via: 'call', errorCode: null, sentAt: NOON, deliveredAt: null },
    responseMs: 1_200,
    tokens: null,
    ...overrides,
  };
}

function shownOf(overrides: Partial<ArchivedMessage> = {}) {
  return presentMessage(message(overrides), (_channel, code) => explainTwilioCode(code));
}

function failed(errorCode: string | null, code: string | null = null): Partial<ArchivedMessage> {
  return {
    delivery: { state: 'failed', via: 'call', errorCode, sentAt: null, deliveredAt: null },
    failure: code === null ? null : { code, reason: 'for operators', retryable: false },
  };
}

test('a text is shown as it is stored, whoever wrote it', () => {
  const body = '**tomorrow** at 4';
  for (const author of ['bot', 'desk', 'contact'] as const) assert.equal(shownOf({ body, author }).message_body, body);
});

test('the id of a reply is shown for what we sent, not for what came in', () => {
  assert.equal(shownOf().reply_id, 'turn');
  assert.equal(shownOf({ direction: 'inbound' }).reply_id, null);
});

test('why a message did not arrive is told in words', () => {
  const error = (overrides: Partial<ArchivedMessage>) => shownOf(overrides).delivery_error;
  assert.match(error(failed('63016')) ?? '', /24 hours.*template/);
  assert.match(error(failed('21610')) ?? '', /START/);
  assert.match(error(failed('12345')) ?? '', /12345/);
  assert.match(error(failed(null, 'channel.recipient')) ?? '', /cannot be reached/);
  assert.match(error(failed(null)) ?? '', /not delivered/);
  assert.equal(error({}), null);
});

test('an apology has its reason beside it, a failed delivery has it once', () => {
  const apology = shownOf({ failure: { code: 'model.timeout', reason: 'x', retryable: true } });
  assert.match(apology.failure ?? '', /could not answer in time/);
  assert.equal(apology.delivery_error, null);
  assert.equal(shownOf(failed(null, 'channel.window')).failure, null);
  assert.equal(explainFailure('something.new', 'as it was noted'), 'as it was noted');
});

test('every failure has words for the desk, without jargon', () => {
  for (const code of Object.keys(FAILURES)) {
    const words = explainFailure(code, null);
    assert.match(words, /^[A-Z].{15,}\.$/, code);
    assert.doesNotMatch(words, /[A-Z]{3,}_|HTTP|undefined/, code);
    assert.equal(explainDelivery(null, code), words);
  }
});

test('what the analysis said oddly does not break a message', () => {
  const analysis = {
    status: 'completed' as const,
    summary: 'x',
    sentiment: 'furious',
    intent: null,
    language: null,
    entities: { people: ['John', 7, null], companies: 'ABC', extra: ['x'] },
    full: { anything: [1] },
  };
  const shown = shownOf({ analysis });
  assert.equal(shown.ai_sentiment, 'furious', 'it may be a word of the operator’s own');
  assert.equal(shownOf({ analysis: { ...analysis, sentiment: '' } }).ai_sentiment, null);
  assert.deepEqual(shown.extracted_entities, { people: ['John'], companies: [], extra: ['x'] });
  assert.deepEqual(Message.parse(shown), shown);
  for (const entities of [null, undefined, 'text', 3]) {
    assert.equal(shownOf({ analysis: { ...analysis, entities } }).extracted_entities, null);
  }
});

test('a place is shown as far as it is known', () => {
  const place = { latitude: 40.4, longitude: -3.7, label: scrub('Plaza') };
  assert.deepEqual(shownOf({ location: place }).location, {
    latitude: 40.4,
    longitude: -3.7,
    label: 'Plaza',
  });
});

const CONVERSATION: ArchivedConversation = {
  id: '00000000-0000-4000-8000-000000000002',
  phone: 'US.1A2B',
  addresses: ['US.1A2B'],
  contact: 'US.1A2B',
  business: '14155238886',
  channel: 'twilio',
  contactName: null,
  prospectId: null,
  status: 'active',
  firstMessageAt: NOON,
  lastMessageAt: NOON,
  lastInboundAt: NOON,
  totalMessages: 1,
  unreadCount: 1,
  tasks: 0,
  openTasks: 0,
  takeoverUntil: NOON + HOUR_MS,
  optedOutAt: null,
  waiting: null,
  lastMessage: null,
  sentiment: null,
  spam: null,
};

test('a takeover and the 24 hours are shown until they are over', () => {
  const shown = presentConversation(CONVERSATION, NOON);
  assert.deepEqual(
    [shown.takeover_until, shown.window_until, shown.business_number],
    ['2026-11-23T13:00:00.000Z', '2026-11-24T12:00:00.000Z', '+14155238886'],
  );
  assert.deepEqual(Conversation.parse(shown), shown);
  assert.equal(presentConversation(CONVERSATION, NOON + HOUR_MS).takeover_until, null);
  assert.equal(presentConversation(CONVERSATION, NOON + 24 * HOUR_MS).window_until, null);
  assert.equal(presentConversation({ ...CONVERSATION, lastInboundAt: null }, NOON).window_until, null);
});

test('the later of the last messages that memory and archive know opens the window', () => {
  const windowOf = (lastInboundAt: number) =>
    presentConversation(CONVERSATION, NOON, { lastInboundAt, optedOutAt: 0, isOthers: false, confirmed: true })
      .window_until;
  assert.equal(windowOf(NOON + HOUR_MS), '2026-11-24T13:00:00.000Z');
  assert.equal(windowOf(0), '2026-11-24T12:00:00.000Z', 'the memory was lost');
});

test('who answers: the bot, a person for a while, or another responder', () => {
  const remembered = { lastInboundAt: 0, optedOutAt: 0, isOthers: false, confirmed: true };
  const answeredBy = (isOthers: boolean, now = NOON) =>
    presentConversation(CONVERSATION, now, { ...remembered, isOthers }).answered_by;
  assert.deepEqual(
    [answeredBy(false), answeredBy(false, NOON + HOUR_MS), answeredBy(true)],
    ['person', 'bot', 'other'],
  );
  assert.equal(presentConversation(CONVERSATION, NOON + HOUR_MS).answered_by, 'bot', 'as far as is known');
  assert.equal(presentConversation(CONVERSATION, NOON, { ...remembered, isShared: true }).is_shared, true);
});

test('what was given up is shown with its words, files and places', () => {
  const letter = presentDeadLetter({
    id: '0-1-1',
    conversation: 'twilio:14155238886:15550100101',
    at: NOON,
    code: 'channel.window',
    reason: 'for operators',
    reply: 'The *answer*',
    messages: [
      { text: scrub('look'), attachments: [{ kind: 'image', contentType: 'image/png', ref: 'MM1/ME1' }] },
      { text: scrub(''), attachments: [{ kind: 'audio', contentType: 'audio/ogg', ref: 'MM2/ME2' }] },
      { text: scrub(''), attachments: [], location: { latitude: 1, longitude: 2 } },
    ],
  });
  assert.deepEqual(letter.messages, ['[image] look', '[voice]', '[location]']);
  assert.deepEqual([letter.phone_number, letter.reply], ['+15550100101', 'The *answer*']);
  assert.deepEqual(DeadLetter.parse(letter), letter);
});

test('a message has what it answers and where it comes from', () => {
  const shown = shownOf({
    inReplyTo: 'SM1',
    quoted: 'A room for 90 euros',
    forwarded: true,
    referral: { headline: scrub('Summer sale') },
  });
  assert.deepEqual(shown.in_reply_to, { words: 'A room for 90 euros' });
  assert.equal(shown.forwarded, true);
  assert.deepEqual(shown.referral, { headline: 'Summer sale', body: null });
  assert.deepEqual(shownOf({ inReplyTo: 'SM1' }).in_reply_to, { words: null });
});
