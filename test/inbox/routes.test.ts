import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { encodeEvent } from '../../app/events.ts';
import { OPERATIONS, type Operation } from '../../app/inbox/operations.ts';
import { createScripts } from '../../app/memory/redis.ts';
import { createSuspects } from '../../app/memory/suspects.ts';
import { query } from '../archive/engines.ts';
import { ACCOUNT_SID, eventually } from '../support/bot.ts';
import { API_KEY, PASSWORD, startDesk, type TestDesk } from './desk.ts';

const ANA = '15550100101';
const BEN = '15550100102';
const CLEO = 'US.1A2B3C4D';
const BUSINESS = '14155238886';

let desk: TestDesk;

before(async () => {
  desk = await startDesk();
});
after(() => desk.stop());

const filled = (path: string) =>
  path.replace(
    /:(\w+)/g,
    (_, name) => ({ phone: ANA, n: '0' })[String(name)] ?? '00000000-0000-4000-8000-000000000000',
  );

test('every route of the inbox answers 401 without a password or a key, and nothing else', async () => {
  const routes = desk.routers
    .flatMap((router) => router.stack)
    .filter(({ methods, path }) => methods.length > 0 && path !== '/api/session');
  assert.equal(routes.length, Object.keys(OPERATIONS).length);
  for (const { methods, path } of routes) {
    for (const method of methods) {
      await refusesStrangers(desk.url, method, filled(String(path)));
      await refusesStrangers(desk.bot.url, method, filled(String(path)));
    }
  }
});

async function refusesStrangers(url: string, method: string, path: string): Promise<void> {
  // Wrong keys are counted: those for what changes something are enough.
  const key = method === 'HEAD' || method === 'GET' ? [] : [{ 'x-api-key': 'wrong' }];
  for (const headers of [{}, ...key, { cookie: 'recado_session=1.2.3' }]) {
    const response = await fetch(url + path, { method, headers });
    const text = await response.text();
    assert.equal(response.status, 401, `${method} ${path}`);
    if (method === 'HEAD') continue;
    assert.deepEqual(Object.keys(JSON.parse(text)), ['success', 'error', 'code']);
    assert.equal(JSON.parse(text).code, 'request.unauthorized');
  }
}

test('what came in and what was answered is listed, newest first', async () => {
  await desk.say(ANA, 'hello, this is Ana', { ProfileName: 'Ana' });
  await desk.say(BEN, 'do you have time?', { ProfileName: 'Ben' });
  const { status, body } = await desk.ask('GET', '/api/whatsapp/inbox');
  assert.equal(status, 200);
  assert.deepEqual(Object.keys(body).sort(), ['count', 'messages', 'next_cursor', 'success']);
  assert.equal(body.count, 2);
  const [newest, oldest] = body.messages;
  assert.deepEqual(
    [newest.phone_number, newest.contact_name, newest.message_body, newest.direction, newest.unread],
    [`+${BEN}`, 'Ben', 'do you have time?', 'inbound', true],
  );
  assert.equal(oldest.phone_number, `+${ANA}`);
  const both = await desk.ask('GET', '/api/whatsapp/inbox?direction=both&search=Ana');
  assert.deepEqual(
    both.body.messages.map((message: { author: string }) => message.author),
    ['bot', 'contact'],
  );
});

test('a page goes on where the last one ended, by cursor and by offset', async () => {
  const first = await desk.ask('GET', '/api/whatsapp/inbox?limit=1');
  assert.equal(first.body.count, 1);
  const byCursor = await desk.ask('GET', `/api/whatsapp/inbox?limit=1&cursor=${first.body.next_cursor}`);
  const byOffset = await desk.ask('GET', '/api/whatsapp/inbox?limit=1&offset=1');
  assert.deepEqual(byCursor.body.messages, byOffset.body.messages);
  assert.equal(byCursor.body.next_cursor, null);
  assert.notDeepEqual(byCursor.body.messages, first.body.messages);
});

test('one contact is found however the number is written, also by a username', async () => {
  await desk.say(CLEO, 'hi from a username', { From: `whatsapp:${CLEO}`, ProfileName: 'Cleo' });
  for (const written of [
    ANA,
    `+${ANA}`,
    `%2B${ANA}`,
    `whatsapp:+${ANA}`,
    `whatsapp%3A%2B${ANA}`,
    '+1 (555) 010-0101',
  ]) {
    const { status, body } = await desk.ask('GET', `/api/whatsapp/conversation/${written}`);
    assert.equal(status, 200, written);
    assert.equal(body.phone_number, `+${ANA}`);
    assert.equal(body.conversation.business_number, `+${BUSINESS}`);
    assert.deepEqual(
      body.messages.map((message: { message_body: string }) => message.message_body),
      ['You said: hello, this is Ana', 'hello, this is Ana'],
    );
  }
  const byName = await desk.ask('GET', `/api/whatsapp/conversation/${CLEO}?order=oldest`);
  assert.equal(byName.body.phone_number, CLEO);
  assert.equal(byName.body.messages[0].message_body, 'hi from a username');
});

/** A cursor as a list gives it, with a key of our choice. */
const cursor = (key: string) =>
  Buffer.from(JSON.stringify([key, '00000000-0000-4000-8000-000000000000'])).toString('base64url');

test('whoever asks for what is not there, or asks wrongly, is told so', async () => {
  const cases: [string, string, unknown, number, string][] = [
    ['GET', '/api/whatsapp/conversation/15550100199', undefined, 404, 'request.not_found'],
    ['GET', '/api/whatsapp/conversation/nobody', undefined, 400, 'request.invalid'],
    ['GET', '/api/whatsapp/inbox?limit=0', undefined, 400, 'request.invalid'],
    ['GET', '/api/whatsapp/inbox?limit=1&limit=2', undefined, 400, 'request.invalid'],
    ['GET', '/api/whatsapp/inbox?cursor=garbage', undefined, 400, 'request.invalid'],
    ['GET', '/api/whatsapp/inbox?direction=sideways', undefined, 400, 'request.invalid'],
    ['GET', '/api/whatsapp/inbox?search=%00', undefined, 400, 'request.invalid'],
    ['GET', '/api/whatsapp/tasks?search=a%00b', undefined, 400, 'request.invalid'],
    ['GET', '/api/whatsapp/conversations?search=%00', undefined, 400, 'request.invalid'],
    ['GET', '/api/whatsapp/tasks?due_by=0000-01-01', undefined, 400, 'request.invalid'],
    ['GET', `/api/whatsapp/tasks?cursor=${cursor('2026-01-01 99999999999')}`, undefined, 400, 'request.invalid'],
    ['GET', `/api/whatsapp/tasks?cursor=${cursor('0000-01-01 1')}`, undefined, 400, 'request.invalid'],
    ['GET', `/api/whatsapp/inbox?cursor=${cursor('-271821-04-20T00:00:00.000Z')}`, undefined, 400, 'request.invalid'],
    ['GET', `/api/whatsapp/inbox?cursor=${cursor('+275760-01-01T00:00:00.000Z')}`, undefined, 400, 'request.invalid'],
    ['POST', '/api/whatsapp/tasks', { title: 'a\u0000b' }, 400, 'request.invalid'],
    ['POST', '/api/whatsapp/send', { to_number: ANA, message: 'a\u0000b' }, 400, 'request.invalid'],
    ['GET', '/api/whatsapp/media/none/0', undefined, 404, 'request.not_found'],
    ['POST', '/api/whatsapp/mark-read', {}, 400, 'request.invalid'],
    ['POST', '/api/whatsapp/mark-read', undefined, 400, 'request.invalid'],
    ['POST', '/api/whatsapp/send', { to_number: ANA, message: '   ' }, 400, 'request.invalid'],
    ['PATCH', '/api/whatsapp/tasks/none', { status: 'completed' }, 404, 'request.not_found'],
    ['POST', '/api/whatsapp/dead-letters/0-1-1/replay', undefined, 404, 'request.not_found'],
    ['DELETE', '/api/whatsapp/dead-letters/nothing', undefined, 404, 'request.not_found'],
    ['POST', '/api/whatsapp/takeover', { phone_number: '15550100199', active: true }, 404, 'request.not_found'],
    ['POST', '/api/whatsapp/writing', { phone_number: '15550100199', writer: 'page-1' }, 404, 'request.not_found'],
    ['POST', '/api/whatsapp/writing', { phone_number: ANA, writer: '<b>' }, 400, 'request.invalid'],
  ];
  for (const [method, path, body, status, code] of cases) {
    const answer = await desk.ask(method, path, body);
    assert.deepEqual([answer.status, answer.body.code], [status, code], `${method} ${path}`);
    assert.equal(answer.body.success, false);
    assert.ok(answer.body.error.length > 10, answer.body.error);
  }
  const { body } = await desk.ask('GET', '/api/whatsapp/inbox?limit=900&filter=x');
  assert.match(body.error, /limit: .*; filter: /, 'all problems at once, each with its field');
});

test('conversations show who wrote last, what is unread and until when one may write freely', async () => {
  const { body } = await desk.ask('GET', '/api/whatsapp/conversations?filter=unread');
  assert.deepEqual(
    body.conversations.map((one: { phone_number: string }) => one.phone_number),
    [CLEO, `+${BEN}`, `+${ANA}`],
  );
  const ben = body.conversations[1];
  assert.deepEqual(
    [ben.unread_count, ben.last_message_text, ben.last_message_author, ben.conversation_status, ben.takeover_until],
    [1, 'You said: do you have time?', 'bot', 'active', null],
  );
  const leftMs = Date.parse(ben.window_until) - Date.now();
  assert.ok(leftMs > 23.9 * 3_600_000 && leftMs <= 24 * 3_600_000, ben.window_until);
  const found = await desk.ask('GET', '/api/whatsapp/conversations?search=cleo');
  assert.equal(found.body.count, 1);
});

test('what was read is unread no more', async () => {
  const { body } = await desk.ask('POST', '/api/whatsapp/mark-read', { phone_number: `whatsapp:+${BEN}` });
  assert.deepEqual(body, { success: true, updated: 1 });
  const again = await desk.ask('POST', '/api/whatsapp/mark-read', { phone_number: BEN });
  assert.deepEqual(again.body, { success: true, updated: 0 });
  const { body: list } = await desk.ask('GET', '/api/whatsapp/conversations?search=Ben');
  assert.equal(list.conversations[0].unread_count, 0);
});

test('a person writes to the phone, it is in the thread as theirs, and the bot is paused', async () => {
  desk.doubles.twilio.sent.length = 0;
  const { status, body } = await desk.ask('POST', '/api/whatsapp/send', {
    to_number: `+${BEN}`,
    message: 'Yes, at noon. *Kim*',
  });
  assert.equal(status, 200);
  const [sent] = desk.doubles.twilio.sent;
  assert.deepEqual([sent?.to, sent?.body, sent?.sid], [`whatsapp:+${BEN}`, 'Yes, at noon. *Kim*', body.message_sid]);
  await desk.recorder.catchUp();
  const thread = await desk.ask('GET', `/api/whatsapp/conversation/${BEN}`);
  const [newest] = thread.body.messages;
  assert.deepEqual([newest.author, newest.message_sid, newest.delivery_status], ['desk', body.message_sid, 'sent']);
  const pausedMs = Date.parse(thread.body.conversation.takeover_until) - Date.now();
  assert.ok(pausedMs > 29 * 60_000 && pausedMs <= 30 * 60_000, `${pausedMs} ms`);
  assert.deepEqual(
    (await desk.say(BEN, 'thank you', { ProfileName: 'Ben' })).texts,
    [],
    'the bot does not answer over them',
  );
});

test('outside the 24 hours nothing is sent, and the way out is named', async () => {
  desk.doubles.twilio.sent.length = 0;
  const key = desk.keys.of(BEN).state;
  const field = `lastInbound@twilio:${BUSINESS}`;
  const before = Number(await desk.redis.hget(key, field));
  const setLastInbound = async (at: number) => {
    await desk.redis.hset(key, field, String(at));
    const to = new Date(at).toISOString();
    await query(
      desk.database,
      `update whatsapp_conversations set last_inbound_at = '${to}' where phone_number = '+${BEN}'`,
    );
  };
  await setLastInbound(Date.now() - 24 * 3_600_000);
  const late = await desk.ask('POST', '/api/whatsapp/send', { to_number: BEN, message: 'still there?' });
  assert.deepEqual([late.status, late.body.code], [409, 'channel.window']);
  assert.match(late.body.error, /24 hours.*template/);
  const { body } = await desk.ask('GET', `/api/whatsapp/conversation/${BEN}`);
  assert.equal(body.conversation.window_until, null);
  await setLastInbound(before);

  const stranger = await desk.ask('POST', '/api/whatsapp/send', { to_number: '15550100199', message: 'hello' });
  assert.deepEqual([stranger.status, stranger.body.code], [409, 'channel.window']);
  assert.match(stranger.body.error, /never written.*template/);
  assert.equal(desk.doubles.twilio.sent.length, 0);
});

test('what the provider refuses is explained, is in the thread as failed, and the bot is not told that it was said', async () => {
  await desk.ask('POST', '/api/whatsapp/takeover', { phone_number: BEN, active: false });
  desk.doubles.twilio.faults.push({ kind: 'status', status: 400, code: 21610, message: 'no' });
  const asked = { to_number: BEN, message: 'hello', idempotency_key: 'my-key' };
  const { status, body } = await desk.ask('POST', '/api/whatsapp/send', asked);
  await desk.recorder.catchUp();
  const [newest] = (await desk.ask('GET', `/api/whatsapp/conversation/${BEN}`)).body.messages;
  assert.deepEqual([newest.reply_id, newest.message_body, newest.delivery_status], ['my-key', 'hello', 'failed']);
  const history = await desk.redis.lrange(desk.keys.of(BEN).history, 0, -1);
  assert.ok(!history.some((line) => line.includes('my-key')));
  const takeover = (await desk.ask('GET', `/api/whatsapp/conversation/${BEN}`)).body.conversation.takeover_until;
  assert.equal(takeover, null, 'the bot is not paused by what was not said');
  assert.deepEqual([status, body.code], [422, 'channel.opted_out']);
  assert.match(body.error, /START/);
});

test('a takeover pauses the bot; after it the bot answers again', async () => {
  const taken = await desk.ask('POST', '/api/whatsapp/takeover', { phone_number: ANA, active: true, minutes: 5 });
  const leftMs = Date.parse(taken.body.takeover_until) - Date.now();
  assert.ok(leftMs > 4.9 * 60_000 && leftMs <= 5 * 60_000);
  assert.deepEqual((await desk.say(ANA, 'is somebody there?')).texts, []);
  const during = await desk.ask('GET', `/api/whatsapp/conversation/${ANA}`);
  assert.equal(during.body.conversation.takeover_until, taken.body.takeover_until);
  const listed = await desk.ask('GET', '/api/whatsapp/conversations?search=Ana');
  const differenceMs = Date.parse(listed.body.conversations[0].takeover_until) - Date.parse(taken.body.takeover_until);
  assert.ok(Math.abs(differenceMs) < 1_000, 'the archive heard of it, too');

  const back = await desk.ask('POST', '/api/whatsapp/takeover', { phone_number: ANA, active: false });
  assert.deepEqual(back.body, { success: true, takeover_until: null });
  const [answer] = (await desk.say(ANA, 'and now?')).texts;
  assert.match(answer ?? '', /and now\?$/);
});

test('who is blocked is not answered, until they are active again', async () => {
  const status = (word: string) =>
    desk.ask('POST', '/api/whatsapp/conversation-status', { phone_number: ANA, status: word });
  const blocked = await status('blocked');
  assert.equal(blocked.body.conversation.conversation_status, 'blocked');
  assert.deepEqual((await desk.say(ANA, 'hello?')).texts, []);
  await status('active');
  assert.deepEqual((await desk.say(ANA, 'hello again')).texts, ['You said: hello again']);
  await status('archived');
  const archived = await desk.ask('GET', '/api/whatsapp/conversations?status=archived');
  assert.deepEqual(
    archived.body.conversations.map((one: { phone_number: string }) => one.phone_number),
    [`+${ANA}`],
  );
});

test('who looks like spam is shown with the reasons in words; the team says that it is none', async () => {
  await desk.say(BEN, 'Win a lot of money now', { ProfileName: 'Ben' });
  const until = Date.now() + 1_800_000;
  const event = encodeEvent({
    type: 'contact.suspected',
    conversation: `twilio:${BUSINESS}:${BEN}`,
    at: Date.now(),
    score: 100,
    reasons: ['repeats', 'links'],
    until,
  });
  await createSuspects({ run: createScripts(desk.redis), keys: desk.keys }).record(BEN, 100, until, event);
  await desk.recorder.catchUp();
  const thread = async () => (await desk.ask('GET', `/api/whatsapp/conversation/${BEN}`)).body.conversation;
  assert.deepEqual((await thread()).spam, {
    score: 100,
    reasons: ['the same text again and again', 'many messages with links'],
    throttled_until: new Date(until).toISOString(),
  });
  const { body: listed } = await desk.ask('GET', '/api/whatsapp/conversations?spam=true');
  assert.deepEqual(
    listed.conversations.map((one: { phone_number: string }) => one.phone_number),
    [`+${BEN}`],
  );
  await desk.say(BEN, 'Win a lot of money today', { ProfileName: 'Ben' });
  const { body: unanswered } = await desk.ask('GET', `/api/whatsapp/conversation/${BEN}`);
  assert.match(JSON.stringify(unanswered.messages), /Win a lot of money today/, 'it is kept');

  const excused = await desk.ask('POST', '/api/whatsapp/not-spam', { phone_number: BEN });
  assert.deepEqual([excused.status, excused.body.conversation.spam], [200, null]);
  const [answer = ''] = (await desk.say(BEN, 'hello?', { ProfileName: 'Ben' })).texts;
  assert.match(answer, /hello\?$/);
  assert.equal((await desk.ask('POST', '/api/whatsapp/not-spam', { phone_number: '15550100198' })).status, 404);
});

test('two numbers of ours are two conversations, which can be asked for, written from and filtered', async () => {
  const other = '447700900001';
  const cleo = { From: `whatsapp:${CLEO}`, ProfileName: 'Cleo' };
  await desk.say(CLEO, 'to the other number', { ...cleo, To: `whatsapp:+${other}` });
  const { body: numbers } = await desk.ask('GET', '/api/whatsapp/numbers');
  assert.deepEqual(numbers.numbers.map(({ business_number }: { business_number: string }) => business_number).sort(), [
    `+${BUSINESS}`,
    `+${other}`,
  ]);
  const { body: listed } = await desk.ask('GET', `/api/whatsapp/conversations?business_number=%2B${other}`);
  assert.deepEqual(
    listed.conversations.map((one: { phone_number: string; business_number: string }) => [
      one.phone_number,
      one.business_number,
    ]),
    [[CLEO, `+${other}`]],
  );
  const thread = await desk.ask('GET', `/api/whatsapp/conversation/${CLEO}?business_number=${other}`);
  assert.deepEqual(
    thread.body.messages.map(({ message_body }: { message_body: string }) => message_body),
    ['You said: to the other number', 'to the other number'],
  );
  desk.doubles.twilio.sent.length = 0;
  await desk.ask('POST', '/api/whatsapp/send', { to_number: CLEO, business_number: BUSINESS, message: 'from ours' });
  assert.deepEqual(
    desk.doubles.twilio.sent.map(({ from }) => from),
    [`whatsapp:+${BUSINESS}`],
  );
  const [answer] = (await desk.say(CLEO, 'still here', { ...cleo, To: `whatsapp:+${other}` })).texts;
  assert.match(answer ?? '', /still here/, 'the other conversation is not paused');
});

test('a task is made by hand, changed and done', async () => {
  const made = await desk.ask('POST', '/api/whatsapp/tasks', {
    title: 'Call Ben',
    task_type: 'call',
    priority: 2,
    due_date: '2026-11-24',
    phone_number: `+${BEN}`,
  });
  assert.equal(made.status, 200);
  const { id } = made.body.task;
  assert.deepEqual(
    [made.body.task.phone_number, made.body.task.contact_name, made.body.task.created_by, made.body.task.status],
    [`+${BEN}`, 'Ben', 'desk', 'pending'],
  );
  const open = await desk.ask('GET', `/api/whatsapp/tasks?status=open&phone_number=%2B${BEN}`);
  assert.deepEqual(
    open.body.tasks.map((task: { id: string }) => task.id),
    [id],
  );
  const changed = await desk.ask('PATCH', `/api/whatsapp/tasks/${id}`, { due_date: null, priority: 1 });
  assert.deepEqual(
    [changed.body.task.title, changed.body.task.due_date, changed.body.task.priority],
    ['Call Ben', null, 1],
  );
  const done = await desk.ask('PATCH', `/api/whatsapp/tasks/${id}`, { status: 'completed' });
  assert.equal(done.body.task.status, 'completed');
  assert.ok(Date.parse(done.body.task.completed_at) > 0);
  assert.equal((await desk.ask('GET', '/api/whatsapp/tasks?status=open')).body.count, 0);
});

test('what the analysis found stands beside the message that caused it', async () => {
  await desk.say(BEN, 'Please call John Smith of ABC Corp next Tuesday, it is urgent!');
  const bursts = await desk.analysis.take({ most: 50, leaseMs: 60_000 });
  const burst = bursts.find(({ messages }) => messages.some(({ text }) => text.includes('John Smith')));
  const about = burst?.messages.at(-1)?.id ?? '';
  assert.ok(burst);
  const entities = {
    people: ['John Smith'],
    companies: ['ABC Corp'],
    dates: ['next Tuesday'],
    amounts: [],
    products: [],
  };
  const analysis = {
    summary: 'Asks for a call.',
    sentiment: 'urgent',
    intent: 'request',
    language: 'en',
    entities,
    full: { entities },
  };
  await desk.analysis.complete(burst, {
    about,
    analysis,
    task: { title: 'Call John Smith', type: 'call', priority: 1 },
  });

  const { body } = await desk.ask('GET', '/api/whatsapp/inbox?filter=tasks&sentiment=urgent');
  assert.equal(body.count, 1);
  const [message] = body.messages;
  assert.deepEqual(
    [message.ai_summary, message.ai_sentiment, message.ai_intent, message.analysis_status, message.task_created],
    ['Asks for a call.', 'urgent', 'request', 'completed', true],
  );
  assert.deepEqual(message.extracted_entities, entities);
  assert.deepEqual([message.task.title, message.task.task_type, message.task.priority], ['Call John Smith', 'call', 1]);
  assert.equal(message.created_task_id, message.task.id);
});

test('a picture is shown from here, fetched with the credentials that nobody sees', async () => {
  const bytes = Buffer.from([0xff, 0xd8, 0xff, 0xe0, 1, 2, 3, 4, 5, 6]);
  const url = desk.doubles.twilio.addMedia(bytes, 'image/jpeg');
  await desk.say(ANA, 'look', { NumMedia: '1', MediaUrl0: url, MediaContentType0: 'image/jpeg' });
  const { body } = await desk.ask('GET', `/api/whatsapp/conversation/${ANA}?limit=2`);
  const message = body.messages.find((one: { message_type: string }) => one.message_type === 'image');
  assert.equal(message.media_url, `/api/whatsapp/media/${message.id}/0`);
  assert.deepEqual(message.media, [{ kind: 'image', content_type: 'image/jpeg', url: message.media_url }]);
  assert.doesNotMatch(JSON.stringify(body), new RegExp(`${ACCOUNT_SID}|/Media/|ME[0-9a-f]{32}`));

  const file = await fetch(desk.url + message.media_url, { headers: { 'x-api-key': API_KEY } });
  assert.equal(file.status, 200);
  assert.deepEqual(Buffer.from(await file.arrayBuffer()), bytes);
  const header = (name: string) => file.headers.get(name);
  assert.equal(header('content-type'), 'image/jpeg');
  assert.equal(header('content-disposition'), 'inline');
  assert.equal(header('x-content-type-options'), 'nosniff');
  assert.match(header('content-security-policy') ?? '', /default-src 'none'; sandbox/);
  assert.match(header('cache-control') ?? '', /^private/);

  const part = await fetch(desk.url + message.media_url, { headers: { 'x-api-key': API_KEY, range: 'bytes=2-4' } });
  assert.deepEqual([part.status, part.headers.get('content-range')], [206, `bytes 2-4/${bytes.length}`]);
  assert.deepEqual(Buffer.from(await part.arrayBuffer()), bytes.subarray(2, 5));
  await eventually('the turn has ended', async () => (await desk.redis.zcard(desk.keys.of(ANA).due)) === 0);
  const fetched = desk.doubles.twilio.fileRequests.length;
  const rest = await fetch(desk.url + message.media_url, { headers: { 'x-api-key': API_KEY, range: 'bytes=5-' } });
  assert.deepEqual(Buffer.from(await rest.arrayBuffer()), bytes.subarray(5));
  assert.equal(desk.doubles.twilio.fileRequests.length, fetched, 'parts of a file come from the provider once');
  const missing = await desk.ask('GET', `/api/whatsapp/media/${message.id}/1`);
  assert.equal(missing.status, 404);
});

test('ten thousand characters of any script, beside a form that is nearly as long, reach the inbox whole', async () => {
  const text = 'नमस्ते दुनिया '.repeat(1_000).slice(0, 10_000).trim();
  const remark = text.slice(0, 9_000).trim();
  await desk.say(ANA, text, { FlowData: JSON.stringify({ remark }) });
  const { body } = await desk.ask('GET', '/api/whatsapp/inbox?limit=1');
  assert.equal(body.messages[0].message_body, `remark: ${remark}\n${text}`);
});

test('a file that a browser might run is only ever saved', async () => {
  const bytes = Buffer.from('<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>');
  for (const type of ['image/svg+xml', 'text/html', 'application/pdf', 'video/mp4']) {
    const url = desk.doubles.twilio.addMedia(bytes, type);
    await desk.say(ANA, '', { NumMedia: '1', MediaUrl0: url, MediaContentType0: type });
    const { body } = await desk.ask('GET', `/api/whatsapp/inbox?limit=1`);
    const file = await fetch(desk.url + body.messages[0].media_url, { headers: { 'x-api-key': API_KEY } });
    assert.equal(file.status, 200);
    assert.match(file.headers.get('content-disposition') ?? '', /^attachment; filename="\w+"$/, type);
    assert.equal(file.headers.get('content-type'), 'application/octet-stream');
    await file.arrayBuffer();
  }
});

test('a file that the provider no longer has says so', async () => {
  const url = desk.doubles.twilio.addMedia(Buffer.from('x'), 'image/png');
  await desk.say(ANA, '', { NumMedia: '1', MediaUrl0: url, MediaContentType0: 'image/png' });
  // The bot fetches it, too, and may do so after its response: the fault is for us.
  await eventually('the turn has ended', async () => (await desk.redis.zcard(desk.keys.of(ANA).due)) === 0);
  const { body } = await desk.ask('GET', '/api/whatsapp/inbox?limit=1');
  desk.doubles.twilio.faults.push({ kind: 'status', status: 404, on: 'media' });
  const gone = await desk.ask('GET', body.messages[0].media_url);
  assert.deepEqual([gone.status, gone.body.code], [422, 'media.gone']);
});

test('what was given up is seen, explained, replayed and dropped', async () => {
  desk.doubles.twilio.faults.length = 0;
  const bury = (text: string) =>
    desk.redis.xadd(
      ...[desk.keys.of(BEN).dead, '*', 'conversation', `twilio:${BUSINESS}:${BEN}`, 'turn', 't', 'at', '1700000000000'],
      ...['code', 'model.timeout', 'reason', 'no answer in 60000 ms', 'reply', ''],
      ...['messages', JSON.stringify([{ ...DEAD, id: `SM${'0'.repeat(31)}${text.length % 10}`, text }])],
    );
  await bury('nobody answered me');
  await bury('nor me');
  const { body: page } = await desk.ask('GET', '/api/whatsapp/dead-letters?limit=1');
  const { body: rest } = await desk.ask('GET', `/api/whatsapp/dead-letters?limit=1&cursor=${page.next_cursor}`);
  assert.deepEqual(
    [page.dead_letters[0].messages, rest.dead_letters[0].messages],
    [['nor me'], ['nobody answered me']],
  );
  assert.equal(rest.next_cursor, null);
  assert.equal((await desk.ask('GET', '/api/whatsapp/dead-letters?cursor=invented')).status, 400);
  const { body } = await desk.ask('GET', '/api/whatsapp/dead-letters');
  assert.equal(body.count, 2);
  const [newer, older] = body.dead_letters;
  assert.deepEqual([newer.messages, older.messages], [['nor me'], ['nobody answered me']]);
  assert.deepEqual([older.phone_number, older.code, older.reply], [`+${BEN}`, 'model.timeout', null]);
  assert.match(older.reason, /in time/);

  assert.equal((await desk.ask('DELETE', `/api/whatsapp/dead-letters/${newer.id}`)).status, 200);
  assert.equal((await desk.ask('POST', `/api/whatsapp/dead-letters/${older.id}/replay`)).status, 200);
  assert.equal((await desk.ask('GET', '/api/whatsapp/dead-letters')).body.count, 0);
  assert.equal((await desk.ask('POST', `/api/whatsapp/dead-letters/${older.id}/replay`)).status, 404);
});

test('a dead letter that is damaged is shown with its reason, and dropped', async () => {
  await desk.redis.xadd(
    ...[desk.keys.of(BEN).dead, '*', 'conversation', `twilio:${BUSINESS}:${BEN}`, 'at', '1700000000000', 'code'],
    ...['model.timeout', 'reason', 'no answer', 'parts', '["half', 'messages', '[{"id":'],
  );
  const { body } = await desk.ask('GET', '/api/whatsapp/dead-letters');
  assert.deepEqual([body.count, body.dead_letters[0].messages, body.dead_letters[0].reply], [1, [], null]);
  assert.equal((await desk.ask('DELETE', `/api/whatsapp/dead-letters/${body.dead_letters[0].id}`)).status, 200);
});

test('10,000 characters of Hindi reach the inbox and are found there', async () => {
  const long = 'नमस्ते दुनिया '.repeat(714).slice(0, 9_990) + 'समाप्त'.padEnd(10, '।');
  assert.equal(long.length, 10_000);
  await desk.say(ANA, long);
  const { body } = await desk.ask('GET', '/api/whatsapp/inbox?search=समाप्त');
  assert.deepEqual(
    body.messages.map((message: { message_body: string }) => message.message_body),
    [long],
  );
});

test('the types of tasks are those of the analysis, and those that tasks have', async () => {
  await desk.ask('POST', '/api/whatsapp/tasks', { title: 'Wrap it', task_type: 'gift_wrap' });
  const { body: offered } = await desk.ask('GET', '/api/whatsapp/sentiments');
  assert.deepEqual(offered.sentiments, ['positive', 'negative', 'neutral', 'urgent', 'so_so']);
  const { body } = await desk.ask('GET', '/api/whatsapp/task-types');
  assert.deepEqual(body.task_types.slice(0, 2), ['call', 'table_reservation']);
  assert.ok(body.task_types.includes('gift_wrap'));
});

test('what the operator should mend is told', async () => {
  assert.deepEqual((await desk.ask('GET', '/api/whatsapp/notices')).body, { success: true, items: [] });
  const notice = { code: 'purpose.missing', text: 'The assistant has no purpose yet.' };
  desk.notices.push(notice);
  assert.deepEqual((await desk.ask('GET', '/api/whatsapp/notices')).body, { success: true, items: [notice] });
  desk.notices.length = 0;
});

test('what could not be analysed is listed, and analysed again', async () => {
  await desk.say(ANA, 'please call me about the lamp');
  const [burst] = await desk.analysis.take({ most: 1, leaseMs: 60_000 });
  assert.ok(burst);
  await desk.analysis.fail(burst, 'the model said nonsense', false);
  const failed = async () =>
    (await desk.ask('GET', '/api/whatsapp/inbox?analysis_status=failed')).body.messages.map(
      ({ id }: { id: string }) => id,
    );
  assert.deepEqual(
    await failed(),
    burst.messages.map(({ id }) => id),
  );
  const [id] = await failed();
  const again = await desk.ask('POST', '/api/whatsapp/analyses/retry', { message_id: id });
  assert.deepEqual([again.status, again.body.count], [200, 1]);
  assert.deepEqual(await failed(), []);
  assert.equal((await desk.ask('POST', '/api/whatsapp/analyses/retry', {})).body.count, 0);
});

test('what came after the page was fetched stays unread', async () => {
  await desk.say(ANA, 'seen');
  const { body } = await desk.ask('GET', '/api/whatsapp/inbox?limit=1');
  await new Promise((resolve) => setTimeout(resolve, 2));
  await desk.say(ANA, 'not seen yet');
  await desk.ask('POST', '/api/whatsapp/mark-read', { phone_number: ANA, up_to: body.messages[0].received_at });
  const { body: after } = await desk.ask('GET', `/api/whatsapp/inbox?filter=unread&phone_number=${ANA}`);
  assert.deepEqual(
    after.messages.map((message: { message_body: string }) => message.message_body),
    ['not seen yet'],
  );
  await desk.ask('POST', '/api/whatsapp/mark-read', { phone_number: ANA });
});

const DEAD = {
  channel: 'twilio',
  business: BUSINESS,
  contact: BEN,
  profileName: 'Ben',
  receivedAt: 1_700_000_000_000,
  attachments: [],
  requestId: 'r',
};

test('the eight numbers are those of the tables, and every day has its place', async () => {
  const { body } = await desk.ask('GET', '/api/whatsapp/analytics?days=7');
  const inbox = await desk.ask('GET', '/api/whatsapp/inbox?limit=200&direction=both');
  const of = (direction: string) =>
    inbox.body.messages.filter((message: { direction: string }) => message.direction === direction).length;
  assert.deepEqual(
    [body.analytics.total_messages, body.analytics.inbound_messages, body.analytics.outbound_messages],
    [inbox.body.count, of('inbound'), of('outbound')],
  );
  const created = body.days.reduce((sum: number, day: { tasks_created: number }) => sum + day.tasks_created, 0);
  assert.deepEqual([body.analytics.unique_contacts, body.analytics.tasks_created, created], [3, 3, 3]);
  const [totals] = await query(desk.database, 'select * from whatsapp_analytics');
  assert.deepEqual(
    { ...totals, avg_processing_time_seconds: 0 },
    { ...body.analytics, avg_processing_time_seconds: 0 },
  );
  const [today] = await query(desk.database, 'select inbound, tasks_done from whatsapp_analytics_by_day(1)');
  assert.deepEqual(today, { inbound: of('inbound'), tasks_done: 1 });
  assert.equal(body.days.length, 7);
  assert.equal(body.days.at(-1).inbound, of('inbound'));
  assert.equal(body.days.at(-1).tasks_done, 1);
});

test('what was spent is summed by day, purpose and conversation', async () => {
  const { status, body } = await desk.ask('GET', '/api/whatsapp/costs?days=7');
  assert.equal(status, 200);
  assert.deepEqual([body.currency, body.budget, body.unknown_models], ['USD', null, []]);
  assert.equal(body.days.length, 7);
  assert.deepEqual(body.days.at(-1).purposes, body.purposes, 'all of it was today');
  const entries = (of: { entries: number }[]) => of.reduce((sum, one) => sum + one.entries, 0);
  assert.equal(entries([body.total]), entries(body.purposes));
  const answers = body.purposes.find(({ purpose }: { purpose: string }) => purpose === 'answer');
  assert.ok(answers.entries > 0 && answers.unpriced === 0);
  assert.match(answers.sums[0].amount, /^0\.0\d+$/);
  const messages = body.purposes.find(({ purpose }: { purpose: string }) => purpose === 'message');
  assert.deepEqual([messages.sums, messages.unpriced], [[], messages.entries], 'nobody said what they cost');
  const ana = await desk.ask('GET', `/api/whatsapp/costs?phone_number=${ANA}`);
  const hers = body.conversations.filter((one: { phone_number: string }) => one.phone_number === `+${ANA}`);
  assert.ok(entries(hers) > 0);
  assert.equal(entries(ana.body.purposes), entries(hers));
  const nobody = await desk.ask('GET', '/api/whatsapp/costs?phone_number=15550100199');
  assert.deepEqual([nobody.body.purposes, nobody.body.conversations], [[], []]);
  assert.equal(nobody.body.month.entries, body.month.entries, 'the month is that of all');
  for (const wrong of ['days=0', 'days=366', 'phone_number=Ana']) {
    const refused = await desk.ask('GET', `/api/whatsapp/costs?${wrong}`);
    assert.deepEqual([refused.status, refused.body.code], [400, 'request.invalid'], wrong);
  }
});

test('a conversation has all its messages, unless fewer are asked for', async () => {
  const TALKER = '15550100177';
  for (let i = 0; i < 32; i++) await desk.say(TALKER, `message ${i}`);
  const { body } = await desk.ask('GET', `/api/whatsapp/conversation/${TALKER}`);
  assert.ok(body.count > 50, 'more than a page, although the bot fell silent at its limit of a minute');
  assert.deepEqual([body.count, body.next_cursor], [body.conversation.total_messages, null]);
  const page = await desk.ask('GET', `/api/whatsapp/conversation/${TALKER}?limit=50`);
  assert.equal(page.body.count, 50);
  const rest = await desk.ask('GET', `/api/whatsapp/conversation/${TALKER}?cursor=${page.body.next_cursor}`);
  assert.deepEqual([rest.body.count, rest.body.next_cursor], [body.count - 50, null]);
  const far = await desk.ask('GET', '/api/whatsapp/inbox?offset=1000000');
  assert.deepEqual([far.status, far.body.code], [400, 'request.invalid']);
});

test('with a session, what changes something needs its token', async () => {
  const signedIn = await fetch(`${desk.url}/api/session`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ password: PASSWORD }),
  });
  const { csrf } = (await signedIn.json()) as { csrf: string };
  const cookie = signedIn.headers.getSetCookie()[0]?.split(';')[0] ?? '';
  const post = (headers: Record<string, string>) =>
    fetch(`${desk.url}/api/whatsapp/mark-read`, {
      method: 'POST',
      headers: { cookie, 'Content-Type': 'application/json', ...headers },
      body: JSON.stringify({ phone_number: BEN }),
    });
  assert.equal((await post({})).status, 403);
  assert.equal((await post({ 'x-csrf-token': csrf })).status, 200);
  const read = await fetch(`${desk.url}/api/whatsapp/inbox`, { headers: { cookie } });
  assert.equal(read.status, 200);
  assert.equal(read.headers.get('cache-control'), 'no-store');
});

test('no answer and no log line holds an address of the provider, a number or what was said', async () => {
  for (const operation of Object.values<Operation>(OPERATIONS)) {
    if (operation.method !== 'get' || typeof operation.answer === 'string') continue;
    const { body } = await desk.ask('GET', filled(operation.path));
    assert.doesNotMatch(JSON.stringify(body), /\b(?:AC|ME)[0-9a-f]{32}\b|api\.twilio\.com/, operation.path);
  }
  const telling = new RegExp(`${ANA}|${BEN}|John Smith|do you have time`);
  assert.deepEqual(
    desk.logs.filter((line) => telling.test(line)),
    [],
  );
});

test('while Redis is away the archive is still shown', async () => {
  const conversation = await desk.ask('GET', `/api/whatsapp/conversation/${BEN}`);
  await desk.doubles.redis.kill();
  const shown = await desk.ask('GET', `/api/whatsapp/conversation/${BEN}`);
  assert.equal(shown.status, 200);
  const windows = [shown, conversation].map(({ body }) => Date.parse(body.conversation.window_until));
  assert.ok(Math.abs((windows[0] ?? 0) - (windows[1] ?? 0)) < 1_000, 'by the archive, as by the memory before');
  const letters = await desk.ask('GET', '/api/whatsapp/dead-letters');
  assert.deepEqual([letters.status, letters.body.code], [503, 'store.unavailable']);
  assert.doesNotMatch(letters.body.error, /ECONN|127\.0\.0\.1|sock/);
});

test('while the archive is away that is said, with its code', async () => {
  await desk.database.close();
  const { status, body } = await desk.ask('GET', '/api/whatsapp/inbox');
  assert.deepEqual([status, body.code], [503, 'archive.unavailable']);
  assert.match(body.error, /still received and answered/);
});
