/** What becomes of events, whatever the engine. */
import assert from 'node:assert/strict';
import { beforeEach, describe, test } from 'node:test';
import type { Database } from '../../app/archive/engine/database.ts';
import { createConversations } from '../../app/archive/read/conversations.ts';
import { createMessages } from '../../app/archive/read/messages.ts';
import { createDeskWriter } from '../../app/archive/write/desk.ts';
import { record } from '../../app/archive/write/record.ts';
import type { Event } from '../../app/events.ts';
import { LEAK_EXAMPLES, type Scrubbed } from '../../app/privacy/scrub.ts';
import { empty, query } from './engines.ts';
import {
  BUSINESS,
  CONTACT,
  CONVERSATION,
  delivery,
  deskSaid,
  givenUp,
  made,
  NOON,
  newSid,
  PHONE,
  PICTURE,
  received,
  sent,
  VOICE,
} from './events.ts';

const OTHER = '447700900001';

export function recordingSuite(open: () => Database): void {
  const write = (...events: Event[]) => open().transaction((db) => record(db, events, true));
  const thread = async () =>
    (await createMessages(open()).thread({ phone: PHONE }, { limit: 50, order: 'oldest' })).items;
  const conversation = async (business?: string) => {
    const found = await createConversations(open()).find({ phone: PHONE, business });
    assert.ok(found);
    return found;
  };
  const everything = async () =>
    Promise.all([
      query(open(), 'select * from whatsapp_messages order by received_at, id'),
      query(open(), 'select * from whatsapp_conversations order by id'),
      query(open(), 'select * from whatsapp_deliveries order by sid'),
    ]);

  beforeEach(() => empty(open()));

  describe('what is written down', () => {
    test('a message and its answer', async () => {
      const question = received({ text: 'When do you open?' });
      const answer = made([question], 'At *nine*.', { usage: { prompt: 100, completion: 7, cached: 64 } });
      const changed = await write(question, answer, sent(answer, { sids: ['SMa', 'SMb'], via: 'call' }));

      assert.deepEqual(changed, { phones: [PHONE], turns: [answer.turn] });
      const [inbound, outbound] = await thread();
      assert.equal(inbound?.body, 'When do you open?');
      assert.deepEqual(
        [inbound.sid, inbound.from, inbound.to, inbound.direction, inbound.type, inbound.status, inbound.unread],
        [question.message.id, PHONE, '+14155238886', 'inbound', 'text', 'replied', true],
      );
      assert.deepEqual(
        [inbound.receivedAt, inbound.processedAt, inbound.answeredAt],
        [NOON, NOON + 2_000, NOON + 2_000],
      );
      assert.equal(inbound.analysis?.status, 'pending');
      assert.deepEqual(
        [outbound?.sid, outbound?.from, outbound?.author, outbound?.body, outbound?.turnId],
        ['SMa', '+14155238886', 'bot', 'At *nine*.', inbound.turnId],
      );
      assert.equal(outbound?.responseMs, 2_500);
      assert.deepEqual(outbound?.tokens, { prompt: 100, completion: 7, cached: 64 });
      assert.deepEqual(outbound?.delivery, {
        state: 'sent',
        via: 'call',
        errorCode: null,
        sentAt: NOON + 2_500,
        deliveredAt: null,
      });
      const { contactName, totalMessages, unreadCount, lastMessage, lastInboundAt, lastMessageAt } =
        await conversation();
      assert.deepEqual(
        { contactName, totalMessages, unreadCount, lastInboundAt, lastMessageAt, last: lastMessage?.text },
        {
          contactName: 'Ana',
          totalMessages: 2,
          unreadCount: 1,
          lastInboundAt: NOON,
          lastMessageAt: NOON + 2_000,
          last: 'At *nine*.',
        },
      );
    });

    test('a message that cannot be read is there with its kind', async () => {
      await write(received({ text: '', unread: { kind: 'poll', isUpdate: false } }));
      assert.equal((await conversation()).lastMessage?.text, '[cannot be shown here: poll]');
    });

    test('a form is there with its answers, and an advertisement with the id of the click', async () => {
      const referral = { headline: 'Winter sale' as Scrubbed, clickId: 'ARAk-1' };
      await write(received({ text: '', form: 'Guests: 4' as Scrubbed, referral }));
      assert.equal((await conversation()).lastMessage?.text, 'Guests: 4');
      assert.deepEqual(await query(open(), 'select referral from whatsapp_inbox_view'), [{ referral }]);
    });

    test('the same events again, one by one, change nothing', async () => {
      const voice = received({ text: '', attachments: [VOICE] });
      const reply = made([voice], 'Gladly', { said: ['a table for two'] });
      const events = [
        voice,
        reply,
        sent(reply, { sids: ['SMx'], via: 'call' }),
        delivery('SMx', 'delivered', reply.turn),
      ];
      await write(...events);
      const before = await everything();
      for (const event of events) await write(event);
      await write(...events, ...events);
      assert.deepEqual(await everything(), before);
    });

    test('several people at once, in any order', async () => {
      const many = Array.from({ length: 60 }, (_, i) =>
        received({ from: `1555010${1000 + (i % 20)}`, receivedAt: NOON - i * 1_000 }),
      );
      await write(...many);
      const { items } = await createConversations(open()).list({ limit: 100 });
      assert.equal(items.length, 20);
      assert.ok(items.every(({ totalMessages, unreadCount }) => totalMessages === 3 && unreadCount === 3));
      assert.ok(items.every((item) => item.lastMessageAt - item.firstMessageAt === 40_000));
    });

    test('a name stays when a later message does not tell it', async () => {
      await write(received(), received({ profileName: null, receivedAt: NOON + 1 }));
      await write(received({ profileName: null, receivedAt: NOON + 2 }));
      assert.equal((await conversation()).contactName, 'Ana');
    });

    test('a username id is a contact like any other', async () => {
      await write(received({ from: 'US.1A2b' }));
      assert.equal((await createConversations(open()).find({ phone: 'US.1A2b' }))?.contact, 'US.1A2b');
    });
  });

  describe('voice notes and pictures', () => {
    test('the words of a voice note are its transcription', async () => {
      const voice = received({ text: 'listen', attachments: [VOICE] });
      await write(voice);
      assert.deepEqual(
        (await thread()).map((message) => message.transcriptionStatus),
        ['pending'],
      );
      await write(made([voice], 'Yes', { said: ['Could you\ncall me back?'] }));
      const [heard] = await thread();
      assert.deepEqual(
        [heard?.type, heard?.body, heard?.transcription, heard?.transcriptionStatus],
        ['audio', 'listen', 'Could you\ncall me back?', 'completed'],
      );
    });

    test('a voice note without words has failed, in words', async () => {
      const voice = received({ text: '', attachments: [VOICE] });
      await write(voice, made([voice], 'I could not hear you', { said: [null] }));
      const [failed] = await query(
        open(),
        `SELECT message_sid, transcription_status, processing_error
         FROM whatsapp_messages
         WHERE transcription_status = 'failed';`,
      );
      assert.equal(failed?.message_sid, voice.message.id);
      assert.match(String(failed?.processing_error), /voice note/);
    });

    test('a voice note is being written down while somebody listens, and says why it could not be', async () => {
      const voice = received({ text: '', attachments: [VOICE] });
      await write(voice, { type: 'voice.opened', conversation: CONVERSATION, at: NOON, message: voice.message.id });
      assert.equal((await thread())[0]?.transcriptionStatus, 'processing');
      const reason = 'The speech server does not know the model. Look at OPENAI_TRANSCRIBE_MODEL.';
      const heard = [{ id: voice.message.id, transcript: null, reason }];
      await write(made([voice], 'I could not hear you', { heard }));
      const late = { type: 'voice.opened' as const, conversation: CONVERSATION, at: NOON, message: voice.message.id };
      await write(late);
      const [failed] = await thread();
      assert.deepEqual([failed?.transcriptionStatus, failed?.processingError], ['failed', `Transcription: ${reason}`]);
    });

    test('media are at a path of our own, and only the channel gets the provider’s name of a file', async () => {
      await write(received({ text: '', attachments: [PICTURE, VOICE] }));
      const [message] = await thread();
      assert.ok(message);
      assert.equal(message.type, 'image');
      assert.deepEqual(
        message.media.map(({ url }) => url),
        [`/api/whatsapp/media/${message.id}/0`, `/api/whatsapp/media/${message.id}/1`],
      );
      assert.doesNotMatch(JSON.stringify(message), /ME1|ME2/);
      const media = await createMessages(open()).media(message.id, 1);
      assert.deepEqual(media, { channel: 'twilio', attachment: VOICE });
      assert.equal(await createMessages(open()).media(message.id, 2), null);
    });

    test('a place keeps its coordinates', async () => {
      const label = 'Harbour' as Scrubbed; // nothing in it to scrub
      await write(received({ text: '', location: { latitude: 1.5, longitude: -2, label } }));
      const [message] = await thread();
      assert.deepEqual([message?.type, message?.location], ['location', { latitude: 1.5, longitude: -2, label }]);
    });
  });

  describe('turns that end otherwise', () => {
    test('a burst gets one answer, and the wait is that of its oldest message', async () => {
      const burst = [0, 1_000, 1_500].map((ms) => received({ receivedAt: NOON + ms, text: `part ${ms}` }));
      const reply = made(burst, 'All three', { at: NOON + 4_000 });
      await write(...burst, reply);
      const [first, second, third, answer] = await thread();
      assert.ok([first, second, third].every((part) => part?.turnId === reply.turn && part.status === 'replied'));
      assert.equal(answer?.responseMs, 4_000);
    });

    test('a quiet turn takes messages in without an answer', async () => {
      const voice = received({ text: '', attachments: [VOICE] });
      await write(voice, made([voice], '', { said: ['is anybody there'] }));
      const [only, ...others] = await thread();
      assert.deepEqual(others, []);
      assert.deepEqual([only?.status, only?.transcription, only?.processed], ['received', 'is anybody there', true]);
    });

    test('an apology tells its cause', async () => {
      const question = received();
      await write(question, made([question], 'Sorry', { failure: 'model.timeout' }));
      assert.equal((await thread())[1]?.failure?.code, 'model.timeout');
    });

    test('what is given up says why, until it is answered after all', async () => {
      const question = received();
      const gone = givenUp({ messages: [question.message.id] });
      await write(question, gone);
      assert.deepEqual((await thread())[0]?.failure, {
        code: 'model.quota',
        reason: 'The quota is used up.',
        retryable: false,
      });
      await write(made([question], 'Here I am again'));
      const [answered] = await thread();
      assert.deepEqual([answered?.failure, answered?.status, answered?.processingError], [null, 'replied', null]);
    });

    test('a reply that could not be delivered has failed, and is sent when its dead letter is replayed', async () => {
      const question = received();
      const reply = made([question], 'Yes');
      const gone = givenUp({ at: reply.at + 1, code: 'channel.window', reason: 'Too late.', reply: reply.turn });
      await write(question, reply, gone);
      const [asked, failed] = await thread();
      assert.equal(asked?.failure, null);
      assert.deepEqual([failed?.delivery?.state, failed?.failure?.code], ['failed', 'channel.window']);
      await write(sent(reply, { sids: ['SMr'], via: 'call' }), delivery('SMr', 'read', reply.turn));
      const [, replayed] = await thread();
      assert.deepEqual([replayed?.delivery?.state, replayed?.failure, replayed?.sid], ['read', null, 'SMr']);
    });
  });

  describe('deliveries', () => {
    test('come in any order; only what is further on counts', async () => {
      const question = received();
      const reply = made([question], 'Yes');
      await write(question, reply, delivery('SMo', 'read', reply.turn), delivery('SMo', 'sent', reply.turn));
      await write(sent(reply, { sids: ['SMo'], via: 'call' }), delivery('SMo', 'delivered'));
      const [, answer] = await thread();
      assert.deepEqual(
        [answer?.delivery?.state, answer?.sid, answer?.delivery?.deliveredAt],
        ['read', 'SMo', NOON + 9_000],
      );
    });

    test('a status may be told before we know whose it is', async () => {
      const question = received();
      const reply = made([question], 'Yes');
      await write(delivery('SMe', 'delivered'));
      await write(question, reply, sent(reply, { sids: ['SMe'], via: 'call' }));
      assert.equal((await thread())[1]?.delivery?.state, 'delivered');
    });

    test('a reply in parts is where its slowest part is; one that failed, and it has failed', async () => {
      const question = received();
      const reply = made([question], 'Long');
      await write(question, reply, sent(reply, { sids: ['SM1', 'SM2'], via: 'call' }), delivery('SM1', 'read'));
      assert.equal((await thread())[1]?.delivery?.state, 'sent');
      const failed = delivery('SM2', 'failed');
      await write({ ...failed, status: { ...failed.status, errorCode: '63016' } });
      const [, answer] = await thread();
      assert.deepEqual([answer?.delivery?.state, answer?.delivery?.errorCode], ['failed', '63016']);
    });
  });

  test('an answer to another message has its words: theirs, and the part of ours', async () => {
    const question = received({ text: 'Do you have rooms?' });
    const reply = made([question], 'One\nTwo', { parts: ['One', 'Two'] });
    const toOurs = received({ inReplyTo: 'SMb' });
    const toTheirs = received({ inReplyTo: question.message.id });
    const toNothing = received({ inReplyTo: 'SMgone' });
    await write(question, reply, sent(reply, { via: 'call', sids: ['SMa', 'SMb'] }), toOurs, toTheirs, toNothing);
    const quotes = new Map((await thread()).map(({ sid, quoted }) => [sid, quoted]));
    assert.equal(quotes.get(toOurs.message.id), 'Two');
    assert.equal(quotes.get(toTheirs.message.id), 'Do you have rooms?');
    assert.equal(quotes.get(toNothing.message.id), null);
    assert.equal(quotes.get(question.message.id), null);
  });

  describe('the desk', () => {
    test('a person’s words answer what waited', async () => {
      const question = received();
      const quiet = made([question], '');
      const said = deskSaid('I will look into it', { id: 'desk1' });
      const left = { type: 'reply.sent', conversation: CONVERSATION, turn: 'desk1', at: NOON + 60_500 } as const;
      await write(question, quiet, said, { ...left, via: 'call', sids: ['SMd'] }, delivery('SMd', 'delivered'));
      const [asked, answer] = await thread();
      assert.deepEqual([asked?.status, asked?.answeredAt], ['replied', NOON + 60_000]);
      assert.deepEqual(
        [answer?.author, answer?.body, answer?.sid, answer?.delivery?.state, answer?.responseMs],
        ['desk', 'I will look into it', 'SMd', 'delivered', 60_000],
      );
      const before = await everything();
      await write(said);
      assert.deepEqual(await everything(), before);
    });

    test('a voice note that was answered while it was listened to still gets its words, and is analysed', async () => {
      const question = received({ text: '', attachments: [VOICE] });
      const said = deskSaid('I heard you', { id: 'desk3' });
      const quiet = made([question], '', { said: ['Please call me'] });
      await write(question);
      await write(said);
      await write(quiet);
      const [asked] = await thread();
      assert.deepEqual(
        [asked?.transcription, asked?.status, asked?.answeredAt],
        ['Please call me', 'replied', NOON + 60_000],
      );
      const rows = await query(open(), `select turn_id from whatsapp_messages where direction = 'inbound'`);
      assert.deepEqual(rows, [{ turn_id: quiet.turn }]);
      const before = await everything();
      await write(quiet);
      assert.deepEqual(await everything(), before);
    });

    test('a person’s message is there while it is being sent, and says so when it could not be sent', async () => {
      const said = deskSaid('Are you there?');
      await write(received(), said);
      assert.equal((await thread())[1]?.delivery?.state, 'sending');
      await write(givenUp({ turn: said.id, reply: said.id, code: 'channel.recipient', reason: 'No such person.' }));
      const [, failed] = await thread();
      assert.deepEqual([failed?.delivery?.state, failed?.failure?.code], ['failed', 'channel.recipient']);
    });

    test('a takeover is of one conversation, and ends', async () => {
      await write(received(), received({ business: OTHER }));
      const writer = createDeskWriter(open());
      await writer.takeOver(CONVERSATION, NOON + 600_000, 60_000);
      assert.equal((await conversation(BUSINESS)).takeoverUntil, NOON + 600_000);
      assert.equal((await conversation(OTHER)).takeoverUntil, null);
      await writer.takeOver(CONVERSATION, 0, 0);
      assert.equal((await conversation(BUSINESS)).takeoverUntil, null);
    });
  });

  test('nothing of the provider’s gets into a text, and what Postgres cannot store is left out', async () => {
    const hostile = `a\0b \ud800 ${LEAK_EXAMPLES.map(({ sample }) => sample).join(' ')}` as Scrubbed; // as if somebody had forgotten to
    const question = received({ profileName: hostile });
    const event = {
      ...question,
      message: {
        ...question.message,
        text: hostile,
        buttonPayload: hostile,
        location: { latitude: 1, longitude: 1, label: hostile },
      },
    };
    const reply = made([question], 'x');
    const gone = givenUp({ code: 'model.empty', reason: String(hostile), messages: [question.message.id] });
    const answer = { to: CONTACT, parts: [hostile], via: 'call' as const };
    await write(event, gone, { ...reply, reply: answer });
    const [messages, conversations] = await everything();
    for (const row of [...messages, ...conversations]) {
      const { message_sid: _known, media: _own, ...shown } = row;
      const texts = JSON.stringify(shown);
      assert.doesNotMatch(texts, /twilio\.com|twiliocdn|2010-04-01|[A-Z]{2}[0-9a-f]{32}|\\u0000|\\ud800/i);
    }
    assert.ok(messages.some(({ message_body }) => String(message_body).startsWith('ab � [MEDIA_CONTENT]')));
  });

  test('an archived conversation comes back when they write, a blocked one stays', async () => {
    const writer = createDeskWriter(open());
    await write(received());
    await writer.archive(CONVERSATION, true);
    await write(received({ receivedAt: NOON + 1, id: newSid() }));
    assert.equal((await conversation()).status, 'active');
    await writer.block(CONTACT, true);
    await write(received({ receivedAt: NOON + 2 }));
    assert.equal((await conversation()).status, 'blocked');
  });
}
