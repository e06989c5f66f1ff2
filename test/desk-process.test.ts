/** The desk as a process of its own: beside the bot, as `npm start` runs it, and on another machine. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, beforeEach, describe, test } from 'node:test';
import { AUTH_TOKEN, type Doubles, eventually, startDoubles } from './support/bot.ts';
import { createTestDatabase } from './support/postgres.ts';
import { type Program, startProgram } from './support/program.ts';
import { deliverWebhook, textMessage } from './support/webhook.ts';

const KEY = { 'x-api-key': 'a-key-of-a-test-0123456789abcdef' };
const ANA = '15550100101';

let doubles: Doubles;
let shared: Record<string, string>;

before(async () => {
  doubles = await startDoubles();
  doubles.model.answer = () => 'Hello!';
  shared = { DATABASE_URL: await createTestDatabase(), API_KEYS: KEY['x-api-key'], ANALYSIS: 'off' };
});
after(() => doubles.stop());

describe('a desk beside the bot', () => {
  let program: Program;
  before(async () => {
    program = await startProgram(doubles, { ...shared, ROLE: 'all' });
  });
  beforeEach(() => deskAnswers(program));
  after(async () => {
    program.kill('SIGTERM');
    await program.ended();
  });

  test('records what is said to the bot, and answers at its port', async () => {
    const { texts } = await say(program, 'Hi, this is Ana');
    assert.deepEqual(texts, ['Hello!']);
    await eventually('it is in the inbox', async () => (await bodiesIn(program)).includes('Hi, this is Ana'));
    const missing = await fetch(`${program.url}/api/whatsapp/nothing`, { headers: KEY });
    assert.equal(missing.status, 404);
    const refused = await fetch(`${program.url}/api/whatsapp/inbox`);
    assert.equal(refused.status, 401);
    assert.match(await refused.text(), /request\.unauthorized/);
    assert.match(refused.headers.get('x-request-id') ?? '', /./);
    await eventually('readiness names it', async () =>
      (await (await fetch(`${program.url}/readyz`)).text()).includes('"desk":"ok"'),
    );
  });

  test('sees where a request comes from: whoever guesses passwords is stopped, by the right address', async () => {
    const guess = async (headers: Record<string, string> = {}) => {
      const body = JSON.stringify({ password: 'a wrong password' });
      const answer = await fetch(`${program.url}/api/session`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', ...headers },
        body,
      });
      return answer.status;
    };
    for (let i = 0; i < 10; i++) assert.equal(await guess({ 'x-recado-from': `192.0.2.${i}` }), 401);
    assert.equal(await guess({ 'x-recado-from': '192.0.2.99' }), 429, 'nobody says it for themselves');
  });

  test('streams changes through the bot as they happen, until somebody leaves', async () => {
    const leaving = new AbortController();
    const stream = await fetch(`${program.url}/api/whatsapp/events`, { headers: KEY, signal: leaving.signal });
    assert.equal(stream.headers.get('content-type')?.split(';')[0], 'text/event-stream');
    const reader = stream.body?.getReader() ?? assert.fail('a stream');
    const said = say(program, 'Is it there?');
    let seen = '';
    while (!seen.includes(`+${ANA}`)) seen += new TextDecoder().decode((await reader.read()).value);
    await said;
    leaving.abort();
    await assert.rejects(reader.read());
  });

  test('shows the figures of both processes', async () => {
    const figures = await (await fetch(`${program.url}/metrics`)).text();
    assert.match(figures, /^recado_event_loop_delay_p99_seconds\{process="bot"\} \d/m);
    assert.match(figures, /^recado_event_loop_delay_p99_seconds\{process="desk"\} \d/m);
    assert.match(figures, /^recado_messages_received_total\{kind="text",outcome="accepted"\} [1-9]/m);
    assert.match(figures, /^recado_archive_failing 0$/m);
    assert.equal((await fetch(`${program.url}/metrics.json`)).status, 404, 'that is between the two');
  });

  test('is started again when it was killed; people are answered meanwhile', async () => {
    const [desk = 0] = childrenOf(program.pid);
    process.kill(desk, 'SIGKILL');
    assert.deepEqual((await say(program, 'Still there?')).texts, ['Hello!']);
    await eventually('it is recorded by the next one', async () => (await bodiesIn(program)).includes('Still there?'));
    assert.notDeepEqual(childrenOf(program.pid), [desk]);
  });

  test('ends with the bot, however that ends', async () => {
    const other = await startProgram(doubles, { ...shared, ROLE: 'all' });
    await deskAnswers(other);
    const [desk = 0] = childrenOf(other.pid);
    other.kill('SIGKILL');
    await other.ended();
    await eventually('nothing is left', async () => !isAlive(desk));
  });

  test('ends in order', async () => {
    const other = await startProgram(doubles, { ...shared, ROLE: 'all' });
    await deskAnswers(other);
    const [desk = 0] = childrenOf(other.pid);
    other.kill('SIGTERM');
    assert.equal(await other.ended(), 0);
    assert.equal(isAlive(desk), false);
  });
});

test('bot and desk on two machines share what is said', async () => {
  const bot = await startProgram(doubles, { ...shared, ROLE: 'bot' });
  const desk = await startProgram(doubles, { ...shared, ROLE: 'desk' });
  try {
    await say(bot, 'To the other machine');
    await eventually('it is there', async () => (await bodiesIn(desk)).includes('To the other machine'));
    assert.equal((await fetch(`${bot.url}/api/whatsapp/inbox`, { headers: KEY })).status, 404);
    assert.equal((await fetch(`${bot.url}/whatsapp-inbox`)).status, 404);
    assert.equal((await say(desk, 'Hello?')).status, 404);
  } finally {
    for (const program of [bot, desk]) {
      program.kill('SIGTERM');
      await program.ended();
    }
  }
});

function say({ url }: Program, Body: string) {
  return deliverWebhook(`${url}/whatsapp`, AUTH_TOKEN, textMessage({ From: `whatsapp:+${ANA}`, Body }));
}

async function bodiesIn({ url }: Program): Promise<string[]> {
  const answer = await fetch(`${url}/api/whatsapp/inbox`, { headers: KEY });
  const { messages = [] } = (await answer.json()) as { messages?: { message_body: string }[] };
  return messages.map((message) => message.message_body);
}

async function deskAnswers({ url }: Program): Promise<void> {
  await eventually('the desk answers', async () => {
    const { status } = await fetch(`${url}/api/whatsapp/numbers`, { headers: KEY });
    return status === 200;
  });
}

function childrenOf(pid: number): number[] {
  return readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').map(Number).filter(Boolean);
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
