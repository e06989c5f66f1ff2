import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { newSid } from '../doubles/twilio.ts';
import { type Bot, type Doubles, eventually, startBot, startDoubles } from '../support/bot.ts';
import { startTestPostgres, type TestPostgres } from '../support/postgres.ts';

/** How long Postgres is away, s: AWAY_SECONDS=60 makes it a minute. */
const AWAY_SECONDS = Number(process.env.AWAY_SECONDS ?? 3);
const PEOPLE = 8;

let doubles: Doubles;
let postgres: TestPostgres;
let url: string;
let bot: Bot;

before(async () => {
  doubles = await startDoubles();
  postgres = await startTestPostgres();
  url = await postgres.createDatabase();
  bot = await startBot(doubles, {
    DATABASE_URL: url,
    ANALYSIS: 'off',
    RATE_LIMIT_PER_MINUTE: '100000',
    LOG_LEVEL: 'error',
  });
});

after(async () => {
  await bot.stop();
  await doubles.stop();
  await postgres.stop();
});

async function count(statement: string): Promise<number> {
  const client = new pg.Client(url);
  await client.connect();
  try {
    return Number((await client.query(statement)).rows[0]?.count);
  } finally {
    await client.end();
  }
}

test('Postgres away under load: everybody is answered, and the archive is complete afterwards, without doubles', {
  timeout: 600_000,
}, async (t) => {
  let going = true;
  let said = 0;
  const talk = async (person: number): Promise<void> => {
    for (let i = 0; going; i++) {
      const text = `p${person}m${i}`;
      const phone = `1555017${String(person).padStart(4, '0')}`;
      const fields = { MessageSid: newSid('SM') };
      let answer = await bot.say(phone, text, fields);
      // On a machine that stands still for seconds Redis counts as away; a provider repeats then.
      for (let repeats = 0; answer.status === 503 && repeats < 5; repeats++)
        answer = await bot.say(phone, text, fields);
      assert.deepEqual([answer.status, answer.texts], [200, [`You said: ${text}`]]);
      said++;
      await sleep(50);
    }
  };
  const rows = () => count('SELECT count(*) FROM whatsapp_messages');
  const people = Promise.all(Array.from({ length: PEOPLE }, (_, person) => talk(person)));
  await eventually('the archive is being written', async () => (await rows().catch(() => 0)) > 0);
  await postgres.halt();
  const before = said;
  await sleep(AWAY_SECONDS * 1_000);
  const meanwhile = said - before;
  await postgres.resume();
  await sleep(500);
  going = false;
  await people;

  assert.ok(meanwhile > PEOPLE, `${meanwhile} answers while it was away`);
  await eventually('the archive has caught up', async () => (await rows()) >= said * 2);
  assert.equal(await rows(), said * 2, 'every message and every answer, once');
  const doubled =
    "SELECT count(*) FROM (SELECT message_sid FROM whatsapp_messages WHERE direction = 'inbound' GROUP BY 1 HAVING count(*) > 1) d";
  assert.equal(await count(doubled), 0);
  const answered = "SELECT count(*) FROM whatsapp_messages WHERE direction = 'inbound' AND status = 'replied'";
  assert.equal(await count(answered), said);
  t.diagnostic(`${said} messages, ${meanwhile} of them while Postgres was away for ${AWAY_SECONDS} s`);
});
