/** What the inbox asks for, whatever the engine. */
import assert from 'node:assert/strict';
import { beforeEach, describe, test } from 'node:test';
import type { Database } from '../../app/archive/engine/database.ts';
import { createAnalytics } from '../../app/archive/read/analytics.ts';
import { createConversations } from '../../app/archive/read/conversations.ts';
import { createMessages, type InboxQuery } from '../../app/archive/read/messages.ts';
import type { Page } from '../../app/archive/read/page.ts';
import { createAnalysisStore } from '../../app/archive/write/analysis.ts';
import { createDeskWriter } from '../../app/archive/write/desk.ts';
import { record } from '../../app/archive/write/record.ts';
import { createTasks } from '../../app/archive/write/tasks.ts';
import type { Event } from '../../app/events.ts';
import { empty, query } from './engines.ts';
import { BUSINESS, CONVERSATION, made, NOON, PHONE, PICTURE, received, sent, VOICE } from './events.ts';

const DAY_MS = 86_400_000;

export function readingSuite(open: () => Database): void {
  const write = (...events: Event[]) => open().transaction((db) => record(db, events, true));
  beforeEach(() => empty(open()));

  describe('the inbox', () => {
    const texts = async (filter: Omit<InboxQuery, 'limit'>) =>
      (await createMessages(open()).inbox({ limit: 50, ...filter })).items.map(({ body }) => body);

    test('begins with the oldest when asked to, also in a search, and keeps to one contact', async () => {
      const other = '15550100124';
      await write(
        received({ text: 'red chair', receivedAt: NOON }),
        received({ text: 'red lamp', receivedAt: NOON + 1, from: other }),
        received({ text: 'red table', receivedAt: NOON + 2 }),
      );
      assert.deepEqual(await texts({ order: 'oldest' }), ['red chair', 'red lamp', 'red table']);
      assert.deepEqual(await texts({ order: 'oldest', search: 'red' }), ['red chair', 'red lamp', 'red table']);
      assert.deepEqual(await texts({ search: 'red', phone: PHONE }), ['red table', 'red chair']);
      assert.deepEqual(await texts({ phone: other }), ['red lamp']);
      const messages = createMessages(open());
      const all = await allPages((cursor) => messages.inbox({ limit: 1, cursor, order: 'oldest', search: 'red' }));
      assert.deepEqual(
        all.map(({ body }) => body),
        ['red chair', 'red lamp', 'red table'],
      );
      const conversations = createConversations(open());
      const people = await allPages((cursor) => conversations.list({ limit: 1, cursor, order: 'oldest' }));
      assert.deepEqual(
        people.map(({ contact }) => contact),
        [other, PHONE.replace('+', '')],
      );
    });

    test('pages by cursor show every message once, newest first, also those of the same moment', async () => {
      const many = Array.from({ length: 47 }, (_, i) =>
        received({ text: `m${i}`, receivedAt: NOON + Math.floor(i / 5) }),
      );
      await write(...many);
      const messages = createMessages(open());
      const seen = await allPages((cursor) => messages.inbox({ limit: 10, cursor }));
      assert.equal(new Set(seen.map(({ id }) => id)).size, 47);
      assert.deepEqual(
        seen.map(({ receivedAt }) => receivedAt),
        seen.map(({ receivedAt }) => receivedAt).sort((a, b) => b - a),
      );
      const second = await messages.inbox({ limit: 10, offset: 10 });
      assert.deepEqual(
        second.items.map(({ id }) => id),
        seen.slice(10, 20).map(({ id }) => id),
      );
    });

    test('a cursor that is none is refused', async () => {
      await assert.rejects(createMessages(open()).inbox({ limit: 1, cursor: 'nonsense' }), { code: 'request.invalid' });
      const other = Buffer.from('["yesterday","00000000-0000-0000-0000-000000000000"]').toString('base64url');
      await assert.rejects(createConversations(open()).list({ limit: 1, cursor: other }), { code: 'request.invalid' });
    });

    test('filters narrow it', async () => {
      const text = received({ text: 'words' });
      const voice = received({ text: 'sound', attachments: [VOICE], from: '15550100124' });
      const picture = received({ text: 'sight', attachments: [PICTURE] });
      const answer = made([text], 'an answer');
      await write(text, voice, picture, answer);
      assert.deepEqual(await texts({ filter: 'text' }), ['words']);
      assert.deepEqual(await texts({ filter: 'voice' }), ['sound']);
      assert.deepEqual(await texts({ filter: 'picture' }), ['sight']);
      assert.deepEqual(await texts({ filter: 'tasks' }), []);
      assert.deepEqual(await texts({ status: 'replied' }), ['words']);
      assert.deepEqual(await texts({ direction: 'outbound' }), ['an answer']);
      assert.equal((await texts({ direction: 'both' })).length, 4);
      await createDeskWriter(open()).markRead({ phone: PHONE });
      assert.deepEqual(await texts({ filter: 'unread' }), ['sound']);
    });

    for (const [search, text] of FOUND)
      test(`search finds ${search} in: ${text}`, async () => {
        await write(received({ text }), received({ text: 'Nothing of the kind.' }));
        assert.deepEqual(await texts({ search }), [text]);
      });

    test('search with quotation marks knows whole words, "or" and words that must not be there', async () => {
      const one = received({ text: 'The art of tea', receivedAt: NOON });
      const two = received({ text: 'A starting point', receivedAt: NOON + 1 });
      await write(one, two);
      assert.deepEqual(await texts({ search: 'art' }), [two.message.text, one.message.text]);
      assert.deepEqual(await texts({ search: '"art"' }), [one.message.text]);
      assert.deepEqual(await texts({ search: '"art" or "point"' }), [two.message.text, one.message.text]);
      assert.deepEqual(await texts({ search: 'art -"tea"' }), [two.message.text]);
      assert.deepEqual(await texts({ search: 'art or point' }), [], 'without quotation marks, or is a word');
      assert.deepEqual(await texts({ search: '-"tea"' }), []);
    });

    test('search finds parts of words in texts and transcripts', async () => {
      const text = received({ text: 'The quarterly Invoice for Müller & Sons' });
      const voice = received({ text: '', attachments: [VOICE] });
      await write(text, voice, made([voice], 'ok', { said: ['please reschedule the delivery'] }));
      assert.deepEqual(await texts({ search: 'invoice quart' }), [text.message.text]);
      assert.deepEqual(await texts({ search: 'müll' }), [text.message.text]);
      assert.deepEqual(await texts({ search: 'reschedule deliv' }), ['']);
      assert.deepEqual(await texts({ search: '"invoice for"' }), [text.message.text]);
      assert.deepEqual(await texts({ search: 'invoice delivery' }), []);
      for (const odd of [`it's & | ! :* <-> (`, '"', '\\', ':', '%'])
        assert.ok(Array.isArray(await texts({ search: odd })));
    });
  });

  describe('conversations', () => {
    test('list the last active first, page by cursor, and filter', async () => {
      const people = Array.from({ length: 23 }, (_, i) =>
        received({ from: `1555010${1000 + i}`, receivedAt: NOON + i * 1_000, attachments: i === 3 ? [VOICE] : [] }),
      );
      await write(...people);
      const conversations = createConversations(open());
      const seen = await allPages((cursor) => conversations.list({ limit: 5, cursor }));
      assert.deepEqual(
        seen.map(({ phone }) => phone),
        people.map(({ message }) => `+${message.contact}`).reverse(),
      );
      const phones = async (filter: Parameters<typeof conversations.list>[0]) =>
        (await conversations.list(filter)).items.map(({ phone }) => phone);
      assert.deepEqual(await phones({ limit: 50, filter: 'voice' }), ['+15550101003']);
      assert.equal((await phones({ limit: 50, filter: 'text' })).length, 22);
      await createDeskWriter(open()).archive(`twilio:${BUSINESS}:15550101004`, true);
      assert.deepEqual(await phones({ limit: 50, status: 'archived' }), ['+15550101004']);
      assert.equal((await phones({ limit: 50, status: 'active' })).length, 22);
    });

    test('search looks at names, numbers and messages', async () => {
      await write(
        received({ from: '15550101001', text: 'about the boat' }),
        received({ from: '15550101002', text: 'about the car' }),
      );
      const conversations = createConversations(open());
      const found = async (search: string) =>
        (await conversations.list({ limit: 9, search })).items.map(({ phone }) => phone);
      assert.deepEqual(await found('boat'), ['+15550101001']);
      assert.deepEqual(await found('(555) 010-1002'), ['+15550101002']);
      assert.equal((await found('an')).length, 2);
      assert.deepEqual(await found('100%'), []);
    });

    test('are marked as read, however the number is written', async () => {
      await write(received(), received({ receivedAt: NOON + 1 }));
      const conversations = createConversations(open());
      const { markRead } = createDeskWriter(open());
      assert.equal(await markRead({ phone: 'whatsapp:+1 (555) 010-0123' }), 2);
      assert.equal(await markRead({ phone: PHONE }), 0);
      assert.equal((await conversations.find({ phone: '15550100123' }))?.unreadCount, 0);
      const { items } = await createMessages(open()).inbox({ limit: 9 });
      assert.deepEqual(
        items.map(({ status, unread }) => [status, unread]),
        [
          ['read', false],
          ['read', false],
        ],
      );
      assert.equal(await markRead({ phone: '+447700900001' }), 0);
      await write(received({ receivedAt: NOON + 2 }), received({ receivedAt: NOON + 3 }));
      assert.equal(await markRead({ phone: PHONE }, NOON + 2), 1, 'what came after it was not seen');
      assert.equal((await conversations.find({ phone: PHONE }))?.unreadCount, 1);
      assert.equal(await markRead({ phone: PHONE }), 1);
    });

    test('are archived with their messages, and come back as they were', async () => {
      const question = received();
      await write(question, made([question], 'yes'), received({ receivedAt: NOON + 9_000 }));
      const writer = createDeskWriter(open());
      const statuses = async () =>
        (await createMessages(open()).thread({ phone: PHONE }, { limit: 9, order: 'oldest' })).items.map(
          ({ status }) => status,
        );
      const before = await statuses();
      await writer.archive(CONVERSATION, true);
      assert.deepEqual(await statuses(), ['archived', 'archived', 'archived']);
      await writer.archive(CONVERSATION, false);
      assert.deepEqual(await statuses(), before);
    });

    test('threads go both ways, in both orders', async () => {
      const question = received({ text: 'first' });
      await write(question, made([question], 'second'), received({ text: 'third', receivedAt: NOON + 5_000 }));
      await write(received({ from: '15550100199', text: 'somebody else' }));
      const messages = createMessages(open());
      const newest = await allPages((cursor) => messages.thread({ phone: PHONE }, { limit: 1, cursor }));
      const oldest = await allPages((cursor) =>
        messages.thread({ phone: PHONE }, { limit: 2, cursor, order: 'oldest' }),
      );
      assert.deepEqual(
        newest.map(({ body }) => body),
        ['third', 'second', 'first'],
      );
      assert.deepEqual(
        oldest.map(({ body }) => body),
        ['first', 'second', 'third'],
      );
      assert.deepEqual(await messages.thread({ phone: '+447700900001' }, { limit: 5 }), { items: [], next: null });
    });
  });

  describe('tasks', () => {
    test('are made by hand, changed, done and undone', async () => {
      await write(received());
      const tasks = createTasks(open());
      const conversations = createConversations(open());
      const made = await tasks.create(
        { title: 'Call Ana', type: 'call', dueDate: '2026-11-24', tags: ['vip'] },
        { phone: PHONE },
      );
      assert.deepEqual(
        [
          made.title,
          made.type,
          made.category,
          made.priority,
          made.status,
          made.dueDate,
          made.tags,
          made.phone,
          made.createdBy,
        ],
        ['Call Ana', 'call', 'follow_up', 3, 'pending', '2026-11-24', ['vip'], PHONE, 'desk'],
      );
      assert.equal((await conversations.find({ phone: PHONE }))?.openTasks, 1);
      const done = await tasks.update(made.id, { status: 'completed', priority: 1 });
      assert.equal(done?.priority, 1);
      assert.ok(done?.completedAt);
      assert.deepEqual(
        [(await conversations.find({ phone: PHONE }))?.openTasks, (await conversations.find({ phone: PHONE }))?.tasks],
        [0, 1],
      );
      const again = await tasks.update(made.id, { status: 'in_progress', dueDate: null });
      assert.deepEqual([again?.completedAt, again?.dueDate], [null, null]);
      assert.equal(await tasks.update('no-id', { title: 'x' }), null);
      assert.equal(await tasks.update('00000000-0000-0000-0000-000000000000', { title: 'x' }), null);
    });

    test('are sorted by due date and priority, and page by cursor', async () => {
      const tasks = createTasks(open());
      for (const [title, dueDate, priority] of [
        ['c', '2026-11-25', 1],
        ['e', null, 2],
        ['b', '2026-11-24', 4],
        ['d', null, 1],
        ['a', '2026-11-24', 2],
      ] as const)
        await tasks.create({ title, dueDate, priority });
      const seen = await allPages((cursor) => tasks.list({ limit: 2, cursor }));
      assert.deepEqual(
        seen.map(({ title }) => title),
        ['a', 'b', 'c', 'd', 'e'],
      );
      const due = await tasks.list({ limit: 9, dueBy: '2026-11-24', status: 'open' });
      assert.deepEqual(
        due.items.map(({ title }) => title),
        ['a', 'b'],
      );
      assert.equal((await tasks.list({ limit: 9, status: 'completed' })).items.length, 0);
    });

    test('that cannot be are refused', async () => {
      const tasks = createTasks(open());
      const refused = { code: 'request.invalid' };
      await assert.rejects(tasks.create({ title: 'x', priority: 6 }), refused);
      await assert.rejects(tasks.create({ title: 'x', dueDate: '2026-02-30' }), refused);
      await assert.rejects(tasks.create({ title: 'x' }, { phone: '+447700900001' }), refused);
      await assert.rejects(tasks.create({ title: 'x' }, { messageId: 'none' }), refused);
    });
  });

  describe('the analysis', () => {
    const analysis = {
      summary: 'Wants an urgent meeting.',
      sentiment: 'urgent',
      intent: 'schedule_meeting',
      language: 'en',
      entities: { people: ['John Smith'], companies: ['ABC Corp'], dates: ['next Tuesday'] },
      full: { summary: 'Wants an urgent meeting.' },
    };

    test('takes what a turn took in together, once', async () => {
      const burst = [received({ text: 'one' }), received({ text: '', attachments: [VOICE], receivedAt: NOON + 1 })];
      const reply = made(burst, 'the reply', { said: ['two'] });
      await write(...burst, received({ text: 'not answered yet', receivedAt: Date.now() }), reply);
      const store = createAnalysisStore(open());
      const [taken, ...others] = await store.take({ most: 10, leaseMs: 60_000 });
      assert.deepEqual(others, []);
      assert.deepEqual(
        {
          turn: taken?.turn,
          texts: taken?.messages.map(({ text }) => text),
          reply: taken?.reply,
          attempt: taken?.attempt,
        },
        { turn: reply.turn, texts: ['one', 'two'], reply: 'the reply', attempt: 1 },
      );
      assert.deepEqual(await store.take({ most: 10, leaseMs: 60_000 }), []);
      assert.equal((await store.take({ most: 10, leaseMs: -1, turn: reply.turn }))[0]?.attempt, 2, 'its lease ran out');
      assert.equal(await store.waiting(), 3);
    });

    test('writes what it found with the task, so that the statements of the handbook find it', async () => {
      const text = 'I need to schedule a meeting with John Smith from ABC Corp next Tuesday. This is urgent.';
      const [first, second] = [received({ text: 'Hi!' }), received({ text, receivedAt: NOON + 1 })];
      await write(first, second, made([first, second], 'I will arrange it.'));
      const store = createAnalysisStore(open());
      const [burst] = await store.take({ most: 1, leaseMs: 60_000 });
      assert.ok(burst);
      const about = burst.messages[1]?.id ?? '';
      const task = {
        title: 'Meet John Smith',
        description: text,
        type: 'meeting',
        priority: 1,
        dueDate: '2026-11-24',
        tags: ['whatsapp', 'auto-generated'],
      };
      const taskId = await store.complete(burst, { about, analysis, task });
      assert.ok(taskId);
      assert.equal(await store.complete(burst, { about, analysis, task }), null, 'a message has one task');

      const [row] = await query(
        open(),
        `SELECT t.id, t.title, t.task_type, t.priority, t.due_date, m.message_body
         FROM sales_tasks t
         JOIN whatsapp_messages m ON m.created_task_id = t.id
         ORDER BY t.created_at DESC
         LIMIT 5;`,
      );
      assert.deepEqual(row, {
        id: taskId,
        title: 'Meet John Smith',
        task_type: 'meeting',
        priority: 1,
        due_date: '2026-11-24',
        message_body: text,
      });
      const [latest, earlier] = (await createMessages(open()).inbox({ limit: 9, filter: 'all' })).items;
      assert.deepEqual(latest?.analysis, { status: 'completed', ...analysis });
      assert.deepEqual(
        [latest?.task?.title, latest?.taskCreated, latest?.taskCreation],
        ['Meet John Smith', true, 'created'],
      );
      assert.equal(earlier?.analysis?.status, 'skipped');
      assert.equal((await createMessages(open()).inbox({ limit: 9, filter: 'tasks' })).items.length, 1);
      assert.equal((await createMessages(open()).inbox({ limit: 9, sentiment: 'urgent' })).items.length, 1);
      assert.equal((await createMessages(open()).inbox({ limit: 9, search: 'urgent meeting' })).items.length, 1);
      const conversation = await createConversations(open()).find({ phone: PHONE });
      assert.deepEqual([conversation?.sentiment, conversation?.openTasks], ['urgent', 1]);
    });

    test('that ends late does not hide the mood of a newer message', async () => {
      const [older, newer] = [received({ text: 'older' }), received({ text: 'newer', receivedAt: NOON + 1_000 })];
      await write(older, made([older], 'a'), newer, made([newer], 'b', { at: NOON + 2_000 }));
      const store = createAnalysisStore(open());
      const bursts = await store.take({ most: 2, leaseMs: 60_000 });
      for (const burst of bursts.toReversed()) {
        const [message] = burst.messages;
        const sentiment = message?.text === 'newer' ? 'positive' : 'negative';
        await store.complete(burst, { about: message?.id ?? '', analysis: { ...analysis, sentiment }, task: null });
      }
      assert.equal(bursts.length, 2);
      assert.equal((await createConversations(open()).find({ phone: PHONE }))?.sentiment, 'positive');
    });

    test('fails with the reason, and tries again when it is worth it', async () => {
      const question = received();
      await write(question, made([question], 'yes'));
      const store = createAnalysisStore(open());
      const take = async () => {
        const [burst] = await store.take({ most: 1, leaseMs: 60_000 });
        assert.ok(burst);
        return burst;
      };
      await store.fail(await take(), 'The model timed out.', true);
      await store.fail(await take(), 'The model timed out again.', false);
      assert.deepEqual(await store.take({ most: 1, leaseMs: 60_000 }), []);
      const rows = await query(
        open(),
        'SELECT processing_error FROM whatsapp_messages WHERE processing_error IS NOT NULL;',
      );
      assert.deepEqual(rows, [{ processing_error: 'Analysis: The model timed out again.' }]);
    });

    test('keeps the analysis when only the task cannot be made', async () => {
      const question = received();
      await write(question, made([question], 'yes'));
      const store = createAnalysisStore(open());
      const [burst] = await store.take({ most: 1, leaseMs: 60_000 });
      assert.ok(burst);
      const about = burst.messages[0]?.id ?? '';
      assert.equal(await store.complete(burst, { about, analysis, task: { title: 'x', priority: 9 } }), null);
      const rows = await query(
        open(),
        `SELECT ai_analysis, task_creation_status
         FROM whatsapp_messages
         WHERE task_creation_status = 'failed';`,
      );
      assert.deepEqual(rows, [{ ai_analysis: analysis.full, task_creation_status: 'failed' }]);
    });

    test('skips what is not worth it', async () => {
      const question = received({ text: 'ok' });
      await write(question, made([question], '👍'));
      const store = createAnalysisStore(open());
      const [burst] = await store.take({ most: 1, leaseMs: 60_000 });
      assert.ok(burst);
      await store.skip(burst);
      assert.equal(await store.waiting(), 0);
    });
  });

  describe('analytics', () => {
    test('count what is there', async () => {
      const analytics = createAnalytics(open());
      assert.deepEqual(await analytics.totals(), {
        totalMessages: 0,
        inboundMessages: 0,
        outboundMessages: 0,
        voiceMessages: 0,
        tasksCreated: 0,
        transcriptionsCompleted: 0,
        uniqueContacts: 0,
        avgProcessingTimeSeconds: null,
      });
      const text = received();
      const voice = received({ from: '15550100124', text: '', attachments: [VOICE] });
      await write(
        text,
        voice,
        made([text], 'a', { at: NOON + 1_000 }),
        made([voice], 'b', { at: NOON + 4_000, said: ['hi'] }),
      );
      const { items } = await createMessages(open()).inbox({ limit: 1 });
      await createTasks(open()).create({ title: 'x' }, { messageId: items[0]?.id });
      assert.deepEqual(await analytics.totals(), {
        totalMessages: 4,
        inboundMessages: 2,
        outboundMessages: 2,
        voiceMessages: 1,
        tasksCreated: 1,
        transcriptionsCompleted: 1,
        uniqueContacts: 2,
        avgProcessingTimeSeconds: 2.5,
      });
    });

    test('are counted once for everybody who asks within a while, and anew after it', async () => {
      let clock = NOON;
      const analytics = createAnalytics(open(), { keepMs: 10_000, now: () => clock });
      const [first, second] = await Promise.all([analytics.totals(), analytics.totals()]);
      assert.equal(first, second);
      await write(received());
      assert.equal((await analytics.totals()).totalMessages, 0);
      clock += 10_000;
      assert.equal((await analytics.totals()).totalMessages, 1);
      const series = (days: number) => analytics.series({ days, timeZone: 'UTC' });
      assert.deepEqual([(await series(2)).messages.length, (await series(3)).messages.length], [2, 3]);
    });

    test('that could not be counted are counted at the next question', async () => {
      let isAway = true;
      const away: Database = {
        ...open(),
        run: (work) => (isAway ? Promise.reject(new Error('away')) : open().run(work)),
      };
      const analytics = createAnalytics(away, { keepMs: 10_000 });
      await assert.rejects(analytics.totals(), /away/);
      isAway = false;
      assert.equal((await analytics.totals()).totalMessages, 0);
    });

    test('show the days without gaps, in the operator’s time zone', async () => {
      const today = new Date().toISOString().slice(0, 10);
      const midnight = Date.parse(`${today}T00:00:00Z`);
      const late = received({ receivedAt: midnight - 60_000 });
      const early = received({ receivedAt: midnight + 1 });
      const usage = { prompt: 10, completion: 2, cached: 4 };
      const reply = made([early], 'yes', { at: midnight + 2_001, usage });
      await write(late, early, reply, sent(reply, { at: midnight + 2_001 }));
      const utc = await createAnalytics(open()).series({ days: 3, timeZone: 'UTC' });
      assert.deepEqual(
        utc.messages.map(({ inbound, outbound }) => [inbound, outbound]),
        [
          [0, 0],
          [1, 0],
          [1, 1],
        ],
      );
      assert.equal(utc.messages[2]?.day, today);
      assert.deepEqual(utc.responseTime[2], { day: today, p50Ms: 2_000, p95Ms: 2_000 });
      assert.equal(utc.responseTime[0]?.p50Ms, null);
      assert.deepEqual(utc.tokens[2], { day: today, prompt: 10, completion: 2, cached: 4 });
      const east = await createAnalytics(open()).series({ days: 3, timeZone: 'Asia/Kolkata' });
      const day = new Date(midnight - 60_000 + 5.5 * 3_600_000).toISOString().slice(0, 10);
      assert.equal(east.messages.find((one) => one.day === day)?.inbound, 2, 'both are of one day there');
      assert.equal(utc.messages[0]?.day, new Date(midnight - 2 * DAY_MS).toISOString().slice(0, 10));
    });

    test('count how messages sounded, in the operator’s own words, by day', async () => {
      const today = new Date().toISOString().slice(0, 10);
      const midnight = Date.parse(`${today}T00:00:00Z`);
      const messages = [midnight - 60_000, midnight + 1, midnight + 2, midnight + 3].map((receivedAt) =>
        received({ receivedAt }),
      );
      await write(...messages);
      const sounds = ['so_so', 'so_so', 'urgent'];
      for (const [i, sound] of sounds.entries())
        await query(
          open(),
          `update whatsapp_messages set ai_sentiment = '${sound}' where message_sid = '${messages[i]?.message.id}'`,
        );
      const { sentiment } = await createAnalytics(open()).series({ days: 3, timeZone: 'UTC' });
      assert.deepEqual(
        sentiment.map(({ counts }) => counts),
        [{}, { so_so: 1 }, { so_so: 1, urgent: 1 }],
      );
    });
  });

  test('the handbook’s statements run as they are', async () => {
    const voice = received({ text: '', attachments: [VOICE] });
    await write(voice, made([voice], 'yes', { said: ['book a table'] }));
    const rows = await query(
      open(),
      `SELECT id, from_number, transcription, transcription_status 
       FROM whatsapp_messages 
       WHERE message_type = 'audio' 
       ORDER BY received_at DESC 
       LIMIT 5;`,
    );
    assert.deepEqual(
      rows.map(({ from_number, transcription, transcription_status }) => ({
        from_number,
        transcription,
        transcription_status,
      })),
      [{ from_number: PHONE, transcription: 'book a table', transcription_status: 'completed' }],
    );
    const [inbox] = await query(open(), "select * from whatsapp_inbox_view where direction = 'inbound'");
    assert.equal(inbox?.contact_name, 'Ana');
  });
}

async function allPages<Item>(read: (cursor: string | undefined) => Promise<Page<Item>>): Promise<Item[]> {
  const items: Item[] = [];
  for (let cursor: string | undefined; ; ) {
    const page = await read(cursor);
    items.push(...page.items);
    if (page.next === null) return items;
    cursor = page.next;
  }
}

/** What was typed, and a text it has to find. */
const FOUND = [
  ['预约', '我想预约明天下午三点'],
  ['约', '我想预约明天'],
  ['予約', '明日の予約をお願いします'],
  ['จอง', 'อยากจองโต๊ะสองที่'],
  ['예약', '내일 예약하고 싶어요'],
  ['reuniao', 'A reunião é amanhã'],
  ['REUNIÃO', 'a reuniao e amanha'],
  ['strasse', 'Lange Straße 5'],
  ['lodz', 'Jadę do Łodzi'],
  ['елка', 'Где ЁЛКА?'],
  ['αθηνα', 'Στην ΑΘΉΝΑ'],
  ['محمد', 'السيد مُحَمَّد هنا'],
  ['34', 'الطلب رقم ٣٤'],
  ['שלום', 'שָׁלוֹם לכם'],
  ['12345', 'Order AB-12345, please'],
  ['ab 12345', 'Order AB-12345, please'],
  ['AB-12345', 'order ab12345 or ab 12345?'],
  ['2345', 'Order AB-12345, please'],
  ['acme', 'Write to info@acme.example'],
  ['acme', 'See www.shop-acme.example/x'],
  ['berg', 'From Heidelberg'],
  ['he', 'Oh hello'],
  ['dont', 'I don’t know'],
  ["l'hôtel", 'Devant l’hotel'],
  ['🎉', 'Done 🎉 at last'],
  ['12.50', 'It was 12.50 €'],
  ['hello !', 'hello'],
] as const;
