import assert from 'node:assert/strict';
import { after, afterEach, before, describe, test } from 'node:test';
import { type Analyzed, createAnalyze } from '../../app/analysis/analyze.ts';
import { type Instructions, readInstructions } from '../../app/analysis/instructions.ts';
import type { Burst } from '../../app/archive/write/analysis.ts';
import { createStructuredModel, type StructuredModel } from '../../app/llm/openai/structured.ts';
import type { Log } from '../../app/ops/logger.ts';
import { PRACTICE_MODELS, startPracticeModel } from '../../app/simulator/practice-model.ts';
import { lastUserText, type ModelDouble, startModelDouble } from '../doubles/model.ts';
import { analysisOf, JOHN_SMITH, JOHN_SMITH_ANALYSIS, taskOf } from '../support/analysis.ts';

/** A Saturday. */
const AT = Date.parse('2026-11-21T10:05:00Z');

function burst(...texts: string[]): Burst {
  const messages = texts.map((text, i) => ({
    id: `message-${i}`,
    type: 'text' as const,
    text,
    receivedAt: AT + i * 1_000,
  }));
  const conversation = 'twilio:14155238886:15550100123';
  return {
    turn: 'turn',
    conversation,
    phone: '+15550100123',
    contactName: 'Ana',
    messages,
    reply: 'Gladly.',
    attempt: 1,
  };
}

function analyzed(found: Analyzed): Extract<Analyzed, { kind: 'analyzed' }> {
  return found.kind === 'analyzed' ? found : assert.fail('there was no analysis');
}

describe('What messages are about', () => {
  let double: ModelDouble;
  const models: StructuredModel[] = [];
  before(async () => {
    double = await startModelDouble();
  });
  afterEach(() => {
    double.requests.length = 0;
    double.queue.length = 0;
  });
  after(async () => {
    await Promise.all(models.map((model) => model.close()));
    await double.close();
  });

  function analyze(
    found: Burst,
    overrides: { timeZone?: string; instructions?: Instructions; url?: string; key?: string } = {},
  ) {
    const { timeZone = 'UTC', instructions = readInstructions(undefined), url = double.url, key = 'key' } = overrides;
    const model = createStructuredModel({
      apiKey: key,
      baseUrl: url,
      model: PRACTICE_MODELS.analysis,
      timeoutMs: 30_000,
      log: SILENT,
    });
    models.push(model);
    return createAnalyze({ model, instructions, timeZone })(found);
  }

  test('becomes a task with the right day, its kind, an urgent priority and the message itself', async () => {
    double.queue.push(JSON.stringify(JOHN_SMITH_ANALYSIS));
    const { analysis, task } = analyzed(await analyze(burst(JOHN_SMITH)));
    assert.equal(analysis.sentiment, 'urgent');
    assert.deepEqual(analysis.entities.people, ['John Smith']);
    assert.deepEqual(analysis.entities.companies, ['ABC Corp']);
    assert.deepEqual(analysis.entities.dates, ['next Tuesday']);
    assert.ok(task);
    assert.equal(task.title, 'Schedule a meeting with John Smith');
    assert.equal(task.type, 'meeting');
    assert.equal(task.priority, 2);
    assert.equal(task.dueDate, '2026-11-24');
    assert.deepEqual(task.tags, ['whatsapp', 'auto-generated']);
    assert.ok(task.description?.endsWith(`Original message:\n${JOHN_SMITH}`));
    assert.match(task.description ?? '', /Wished for: next Tuesday/);
  });

  test('is asked with one call for all messages of a turn, with the day and the time zone', async () => {
    double.queue.push(analysisOf({}));
    await analyze(burst('Hello', 'I want to order', 'two lamps'), { timeZone: 'Asia/Tokyo' });
    assert.equal(double.requests.length, 1);
    const [head, json] = lastUserText(double.requests[0]?.chat ?? assert.fail()).split('\n');
    assert.equal(head, 'Today is Saturday 2026-11-21 19:05, time zone Asia/Tokyo.');
    assert.deepEqual(JSON.parse(json ?? ''), {
      from: 'Ana',
      messages: [
        { message: 1, written: 'Saturday 2026-11-21 19:05', text: 'Hello' },
        { message: 2, written: 'Saturday 2026-11-21 19:05', text: 'I want to order' },
        { message: 3, written: 'Saturday 2026-11-21 19:05', text: 'two lamps' },
      ],
      answered: 'Gladly.',
    });
  });

  test('costs nothing when there is nothing to it', async () => {
    assert.deepEqual(await analyze(burst('ok', '👍', '', 'Thank you!')), { kind: 'trivial' });
    assert.equal(double.requests.length, 0);
  });

  test('is linked to the message that the model names, or to the last one', async () => {
    double.queue.push(
      analysisOf({ task: { ...taskOf(), message: 1 } }),
      analysisOf({ task: { ...taskOf(), message: 9 } }),
    );
    const texts = ['Please call me', 'My number is the one I write from'];
    const named = analyzed(await analyze(burst(...texts, 'thanks')));
    assert.equal(named.about, 'message-0');
    assert.match(named.task?.description ?? '', /Original message:\nPlease call me$/);
    assert.equal(analyzed(await analyze(burst(...texts, 'thanks'))).about, 'message-1');
  });

  test('keeps the time of day that was wished for in the description', async () => {
    double.queue.push(analysisOf({ task: { ...taskOf(), due: { words: 'Friday 3pm', date: '2026-11-27T15:00' } } }));
    const { task } = analyzed(await analyze(burst('Can you call me on Friday 3pm?')));
    assert.equal(task?.dueDate, '2026-11-27');
    assert.match(task?.description ?? '', /Wished for: Friday 3pm \(2026-11-27 15:00\)/);
  });

  test('has a title in any case, and no longer than the archive holds', async () => {
    double.queue.push(
      analysisOf({ summary: 'Wants a call.', task: { ...taskOf(), title: ' ' } }),
      analysisOf({ task: { ...taskOf(), title: `a\n${'🦊'.repeat(300)}` } }),
    );
    assert.equal(analyzed(await analyze(burst('Call me'))).task?.title, 'Wants a call.');
    const long = analyzed(await analyze(burst('Call me'))).task?.title ?? '';
    assert.equal([...long].length, 255);
    assert.ok(long.startsWith('a 🦊'));
  });

  test('uses the categories and the prompt of the operator', async () => {
    const instructions = readInstructions(
      [
        '---\nintents: booking, other\nsentiments: happy, cross\nentities: rooms, people',
        'task_types: room_service, other\ntask_category: guests\n---\nA hotel.',
      ].join('\n'),
    );
    const entities = { rooms: ['12'], people: [] };
    double.queue.push(
      analysisOf({ intent: 'booking', sentiment: 'cross', entities, task: { ...taskOf(), type: 'room_service' } }),
    );
    const { analysis, task } = analyzed(await analyze(burst('Bring me a towel'), { instructions }));
    assert.equal(analysis.intent, 'booking');
    assert.equal(analysis.sentiment, 'cross');
    assert.deepEqual(analysis.entities, entities);
    assert.deepEqual([task?.type, task?.category], ['room_service', 'guests']);
    assert.equal(double.requests[0]?.chat.messages[0]?.content, 'A hotel.');
    assert.match(JSON.stringify(double.requests[0]?.chat.response_format), /"enum":\["booking","other"\]/);
  });

  test('is cut to what a prompt may cost, the newest messages first', async () => {
    double.queue.push(analysisOf({}));
    await analyze(burst('first', 'x'.repeat(9_000), 'y'.repeat(9_000), 'z'.repeat(9_000)));
    const text = lastUserText(double.requests[0]?.chat ?? assert.fail());
    assert.ok(text.length < 25_000);
    assert.match(text, /z{8000}/);
    assert.doesNotMatch(text, /first/);
  });

  test('is told by the practice model in the categories of the operator', async () => {
    const practice = await startPracticeModel();
    try {
      const instructions = readInstructions(
        '---\nintents: booking, other\nsentiments: happy, so_so\nentities: rooms, people\ntask_types: visit, chore\n---\n',
      );
      const server = { url: practice.url, key: practice.apiKey };
      const { analysis, task, attempts } = analyzed(await analyze(burst(JOHN_SMITH), { ...server, instructions }));
      assert.deepEqual([analysis.sentiment, analysis.intent, task?.type], ['so_so', 'other', 'chore']);
      assert.deepEqual(analysis.entities, { rooms: [], people: ['John Smith'] });
      assert.equal(attempts, 1);
    } finally {
      await practice.close();
    }
  });

  test('is told by the practice model, too', async () => {
    const practice = await startPracticeModel();
    try {
      const { analysis, task } = analyzed(
        await analyze(burst(JOHN_SMITH), { url: practice.url, key: practice.apiKey }),
      );
      assert.equal(analysis.sentiment, 'urgent');
      assert.deepEqual(analysis.entities, {
        people: ['John Smith'],
        companies: ['ABC Corp'],
        dates: ['next Tuesday'],
        amounts: [],
        products: [],
      });
      assert.deepEqual([task?.type, task?.priority, task?.dueDate], ['meeting', 1, '2026-11-24']);
      assert.equal(task?.title, 'Schedule a meeting with John Smith (ABC Corp)');
      const calm = analyzed(await analyze(burst('How much is a lamp?'), { url: practice.url, key: practice.apiKey }));
      assert.deepEqual([calm.analysis.sentiment, calm.analysis.intent, calm.task], ['neutral', 'pricing', null]);
    } finally {
      await practice.close();
    }
  });
});

const SILENT: Log = { debug() {}, info() {}, warn() {}, error() {}, child: () => SILENT };
