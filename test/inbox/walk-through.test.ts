import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { sql } from 'kysely';
import { createDatabase, type Database } from '../../app/archive/engine/database.ts';
import { createEmbeddedPostgres, type EmbeddedPostgres } from '../../app/embedded/postgres.ts';
import { createLogger } from '../../app/ops/logger.ts';
import { type ChatRequest, lastUserText } from '../doubles/model.ts';
import { AUTH_TOKEN, type Bot, type Doubles, eventually, startBot, startDoubles } from '../support/bot.ts';
import { createTestDatabase } from '../support/postgres.ts';
import { deliverWebhook, mediaMessage } from '../support/webhook.ts';

const ANA = '15550100101';
const REQUEST =
  'Hi! I need to schedule a meeting with John Smith from ABC Corp next Tuesday to discuss the proposal. This is urgent.';
const KEY = { 'x-api-key': 'key-of-a-test-program' };

const quiet = createLogger({ level: 'error', format: 'json', write: () => {} });

/** What a model says of the messages; the date is left to the calendar. */
function analysisOf(text: string) {
  const meeting = text.includes('John Smith');
  return {
    summary: meeting ? 'Request to schedule an urgent meeting with John Smith of ABC Corp.' : 'A short message.',
    sentiment: meeting ? 'urgent' : 'neutral',
    entities: {
      people: meeting ? ['John Smith'] : [],
      companies: meeting ? ['ABC Corp'] : [],
      dates: meeting ? ['next Tuesday'] : [],
      amounts: [],
      products: meeting ? ['proposal'] : [],
    },
    intent: meeting ? 'scheduling' : 'other',
    language: 'en',
    task: meeting
      ? {
          title: 'Schedule a meeting with John Smith',
          description: 'Discuss the proposal.',
          type: 'meeting',
          priority: 3,
          message: 1,
          due: { words: 'next Tuesday', date: null },
        }
      : null,
  };
}

function answer(request: ChatRequest): string {
  const asksForAnalysis = 'response_format' in request;
  return asksForAnalysis
    ? JSON.stringify(analysisOf(JSON.stringify(request.messages.at(-1))))
    : `You said: ${lastUserText(request)}`;
}

/** What the statements return, those columns that are looked at. */
interface Row {
  transcription: string;
  transcription_status: string;
  task_type: string;
  priority: number;
  due_date: string;
  message_body: string;
  ai_sentiment: string;
  received_at: string;
  extracted_entities: { people: string[]; companies: string[] };
}

/** The day of `next Tuesday`, said at that time in UTC: the Tuesday of the week that begins next Monday. */
function nextTuesday(saidAt: Date): string {
  const toMonday = (8 - saidAt.getUTCDay()) % 7 || 7;
  return new Date(saidAt.getTime() + (toMonday + 1) * 86_400_000).toISOString().slice(0, 10);
}

for (const kind of ['private', 'configured'] as const) {
  describe(`from the webhook to the desk, over a ${kind} PostgreSQL`, () => {
    const folder = mkdtempSync(join(tmpdir(), 'recado-'));
    let doubles: Doubles;
    let bot: Bot;
    let postgres: EmbeddedPostgres | undefined;
    let url: string | undefined;
    let database: Database | undefined;

    before(async () => {
      doubles = await startDoubles();
      doubles.model.answer = answer;
      doubles.model.transcript = 'This is a voice note about my order.';
      if (kind === 'configured') url = await createTestDatabase();
      bot = await startBot(doubles, { DATABASE_URL: url ?? '', DATA_DIR: folder, API_KEYS: KEY['x-api-key'] });
    });

    after(async () => {
      // Ended by the first test already, unless that failed.
      if (!database) await bot?.stop();
      await database?.close();
      await doubles.stop();
      await postgres?.stop();
      rmSync(folder, { recursive: true, force: true });
    });

    // The answers of our own API, checked against the contract elsewhere.
    const ask = async (path: string): Promise<unknown> => (await fetch(`${bot.url}${path}`, { headers: KEY })).json();
    const rows = async (statement: string): Promise<Row[]> => {
      assert.ok(database, 'the archive of the first test');
      return (await database.run((db) => sql.raw<Row>(statement).execute(db))).rows;
    };

    test('a text, a voice note and a request with a date are answered, archived and analysed', {
      timeout: 600_000,
    }, async () => {
      await bot.say(ANA, 'Hello, my name is Ana and I have a question about my order.');
      const voice = await readFile(new URL('../fixtures/media/voice.ogg', import.meta.url));
      const media = doubles.twilio.addMedia(voice, 'audio/ogg');
      const heard = await deliverWebhook(
        `${bot.url}/whatsapp`,
        AUTH_TOKEN,
        mediaMessage(media, 'audio/ogg', { From: `whatsapp:+${ANA}` }),
      );
      // By either way: on a busy machine the response may have ended before the recording is understood.
      const sent = () => [...heard.texts, ...doubles.twilio.sent.map(({ body }) => body)];
      await eventually('the voice note is answered', () =>
        sent().includes('You said: This is a voice note about my order.'),
      );
      await bot.say(ANA, REQUEST);
      await eventually('three messages are analysed', async () => {
        const { messages } = (await ask('/api/whatsapp/inbox')) as { messages?: { analysis_status: string }[] };
        return messages?.filter(({ analysis_status }) => analysis_status === 'completed').length === 3;
      });
      const { analytics } = (await ask('/api/whatsapp/analytics')) as { analytics: Record<string, number> };
      assert.deepEqual(
        { ...analytics, avg_processing_time_seconds: 0 },
        {
          total_messages: 6,
          inbound_messages: 3,
          outbound_messages: 3,
          voice_messages: 1,
          tasks_created: 1,
          transcriptions_completed: 1,
          unique_contacts: 1,
          avg_processing_time_seconds: 0,
        },
      );
      // The private PostgreSQL is one process's own, and keeps what it was told.
      await bot.stop();
      if (url === undefined) {
        postgres = await createEmbeddedPostgres({ dataDir: folder, log: quiet });
        await postgres.start();
      }
      database = createDatabase({ url: url ?? postgres?.url ?? '', log: quiet });
    });

    test('the statement for voice notes returns the transcript', async () => {
      const found = await rows(`SELECT id, from_number, transcription, transcription_status
FROM whatsapp_messages
WHERE message_type = 'audio'
ORDER BY received_at DESC
LIMIT 5;`);
      assert.deepEqual(
        found.map(({ transcription, transcription_status }) => [transcription, transcription_status]),
        [['This is a voice note about my order.', 'completed']],
      );
    });

    test('the statement for tasks returns the meeting: urgent, on the right day, with its message', async () => {
      const [task, ...others] = await rows(`SELECT t.id, t.title, t.task_type, t.priority, t.due_date, m.message_body
FROM sales_tasks t
JOIN whatsapp_messages m ON m.created_task_id = t.id
ORDER BY t.created_at DESC
LIMIT 5;`);
      assert.equal(others.length, 0);
      assert.ok(task);
      const [message] = await rows(
        'SELECT ai_sentiment, extracted_entities, ai_summary, received_at FROM whatsapp_messages WHERE created_task_id IS NOT NULL',
      );
      assert.ok(message);
      const tuesday = nextTuesday(new Date(message.received_at));
      assert.deepEqual([task.task_type, task.message_body, String(task.due_date)], ['meeting', REQUEST, tuesday]);
      assert.ok(task.priority <= 2, `priority ${task.priority}`);
      assert.equal(message.ai_sentiment, 'urgent');
      assert.deepEqual(
        [message.extracted_entities.people, message.extracted_entities.companies],
        [['John Smith'], ['ABC Corp']],
      );
    });

    test('the statements for what failed run, and find nothing', async () => {
      const statements = [
        `SELECT message_sid, transcription_status, processing_error
FROM whatsapp_messages
WHERE transcription_status = 'failed';`,
        `SELECT ai_analysis, task_creation_status
FROM whatsapp_messages
WHERE task_creation_status = 'failed';`,
        `SELECT processing_error
FROM whatsapp_messages
WHERE processing_error IS NOT NULL;`,
      ];
      for (const statement of statements) assert.deepEqual(await rows(statement), []);
    });
  });
}
