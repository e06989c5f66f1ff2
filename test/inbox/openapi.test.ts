import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { z } from 'zod';
import { responses } from '../../app/inbox/contract.ts';
import type { JsonObject } from '../../app/inbox/openapi.ts';
import { OPERATIONS, type Operation, SESSION_OPERATIONS } from '../../app/inbox/operations.ts';
import { TWILIO_TEMPLATES, WELCOME_SID } from '../support/templates.ts';
import { PASSWORD, startDesk, type TestDesk } from './desk.ts';

const ANA = '15550100101';

interface Description {
  openapi: string;
  security: JsonObject[];
  paths: Record<string, Record<string, DescribedOperation>>;
  components: { schemas: Record<string, JsonObject>; securitySchemes: JsonObject };
}
interface DescribedOperation {
  operationId: string;
  security?: JsonObject[];
  parameters: { name: string; in: string; required: boolean; schema: JsonObject }[];
  requestBody?: { content: { 'application/json': { schema: JsonObject } } };
  responses: Record<string, { content: Record<string, { schema?: JsonObject }> }>;
}

let desk: TestDesk;
let description: Description;

before(async () => {
  desk = await startDesk();
  desk.doubles.twilio.templates.push(...TWILIO_TEMPLATES);
  description = (await desk.ask('GET', '/api/openapi.json')).body;
});
after(() => desk.stop());

test('describes every route that is there, and none that is not', () => {
  const served = desk.routers
    .flatMap((router) => router.stack)
    .flatMap(({ methods, path }) => methods.map((method) => `${method} ${path}`))
    .filter((route) => !route.startsWith('HEAD '));
  const described = Object.entries(description.paths).flatMap(([path, methods]) =>
    Object.keys(methods).map((method) => `${method.toUpperCase()} ${path.replace(/\{(\w+)\}/g, ':$1')}`),
  );
  assert.deepEqual(described.sort(), served.sort());
});

test('names every parameter of a path, and asks for what must be given', () => {
  for (const [path, methods] of Object.entries(description.paths)) {
    for (const [method, { parameters }] of Object.entries(methods)) {
      const named = parameters.filter((parameter) => parameter.in === 'path');
      const inPath = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name);
      assert.deepEqual(
        named.map(({ name }) => name),
        inPath,
        `${method} ${path}`,
      );
      assert.ok(named.every(({ required }) => required));
      assert.ok(parameters.every(({ schema }) => Object.keys(schema).length > 0));
    }
  }
});

test('says how one gets in, and that only the sign-in is open', () => {
  assert.equal(description.openapi, '3.1.1');
  assert.deepEqual(description.security, [{ apiKey: [] }, { session: [] }]);
  const open = Object.values(description.paths)
    .flatMap((methods) => Object.values(methods))
    .filter(({ security }) => security?.length === 0)
    .map(({ operationId }) => operationId);
  assert.deepEqual(open.sort(), Object.keys(SESSION_OPERATIONS).sort());
});

test('refers only to what it describes', () => {
  const text = JSON.stringify(description);
  const names = [...text.matchAll(/"\$ref":"([^"]+)"/g)].map(([, reference]) => reference);
  assert.ok(names.length > 20);
  for (const name of new Set(names)) {
    assert.match(name ?? '', /^#\/components\/schemas\/\w+$/);
    assert.ok(description.components.schemas[String(name).split('/').at(-1) ?? ''], name);
  }
  assert.doesNotMatch(text, /\$defs|\$schema|"id":"(Message|Task)"/);
});

test('tells limits and defaults as the routes have them', async () => {
  const inbox = description.paths['/api/whatsapp/inbox']?.get;
  const limit = inbox?.parameters.find(({ name }) => name === 'limit');
  assert.deepEqual([limit?.required, limit?.schema.default, limit?.schema.maximum], [false, 50, 200]);
  assert.equal((await desk.ask('GET', '/api/whatsapp/inbox?limit=200')).status, 200);
  assert.equal((await desk.ask('GET', '/api/whatsapp/inbox?limit=201')).status, 400);
  const send = description.paths['/api/whatsapp/send']?.post?.requestBody?.content['application/json'].schema;
  assert.deepEqual(send?.required, ['to_number']);
});

test('every answer is as described, field by field, nothing more', async () => {
  await desk.say(ANA, 'hello');
  await desk.say(ANA, 'here I am', { Latitude: '40.4', Longitude: '-3.7', Label: 'Plaza' });
  const made = await desk.ask('POST', '/api/whatsapp/tasks', { title: 'Call Ana', phone_number: ANA });
  const later = { numbers: [ANA, 'nobody'], template: WELCOME_SID, schedule_at: '2999-01-01T00:00:00Z' };
  assert.equal((await desk.ask('POST', '/api/broadcasts', later)).status, 400);
  const tomorrow = new Date(Date.now() + 86_400_000).toISOString();
  const broadcast = await desk.ask('POST', '/api/broadcasts', { ...later, schedule_at: tomorrow });
  assert.equal(broadcast.status, 200, JSON.stringify(broadcast.body));
  const phone = { phone_number: ANA };
  const asks: Record<string, [path: string | undefined, body?: unknown]> = {
    conversation: [`/api/whatsapp/conversation/${ANA}`],
    markRead: [undefined, phone],
    templates: ['/api/whatsapp/templates'],
    sendTemplate: [undefined, { to_number: ANA, template: WELCOME_SID }],
    send: [undefined, { to_number: ANA, message: 'hello from Kim' }],
    status: [undefined, { ...phone, status: 'active' }],
    notSpam: [undefined, phone],
    writing: [undefined, { ...phone, writer: 'page-1' }],
    consent: [undefined, { ...phone, consent: 'opt-in', source: 'told us on the telephone' }],
    consents: [`/api/whatsapp/consent/${ANA}`],
    takeover: [undefined, { ...phone, active: true }],
    createTask: [undefined, { title: 'Write to Ana', due_date: '2026-11-24' }],
    task: [`/api/whatsapp/tasks/${made.body.task.id}`],
    updateTask: [`/api/whatsapp/tasks/${made.body.task.id}`, { status: 'completed' }],
    inbox: ['/api/whatsapp/inbox?direction=both'],
    history: [undefined, { number: `+${ANA}` }],
    histories: [undefined, { numbers: [ANA, '15550199999'], limit: 1 }],
    initiateBulk: [undefined, { numbers: [ANA, 'nobody'], template: WELCOME_SID }],
    createBroadcast: [undefined, { numbers: ['15550100109', 'nobody'], template: WELCOME_SID, dry_run: true }],
    broadcast: [`/api/broadcasts/${broadcast.body.id}`],
    broadcastRows: [`/api/broadcasts/${broadcast.body.id}/rows`],
    pauseBroadcast: [`/api/broadcasts/${broadcast.body.id}/pause`],
    resumeBroadcast: [`/api/broadcasts/${broadcast.body.id}/resume`],
    cancelBroadcast: [`/api/broadcasts/${broadcast.body.id}/cancel`],
  };
  // Nothing was given up here, and the threads have one owner only; these answer as others do.
  const given = new Set(['replayDeadLetter', 'dropDeadLetter', 'threadControl']);
  for (const [name, operation] of Object.entries<Operation>(OPERATIONS)) {
    if (typeof operation.answer === 'string' || given.has(name)) continue;
    const [path = operation.path, body] = asks[name] ?? [];
    const answer = await desk.ask(operation.method.toUpperCase(), path, body);
    assert.equal(answer.status, 200, `${name}: ${JSON.stringify(answer.body)}`);
    assert.deepEqual(operation.answer.parse(answer.body), answer.body, name);
    const described = z.fromJSONSchema(describedAnswer(operation));
    assert.deepEqual(described.parse(answer.body), answer.body, name);
    assert.throws(() => described.parse({ ...answer.body, success: 'yes' }));
  }
  const signedIn = await desk.ask('POST', '/api/session', { password: PASSWORD });
  assert.deepEqual(responses.session.parse(signedIn.body), signedIn.body);
  const refused = await desk.ask('GET', '/api/whatsapp/inbox?limit=x');
  assert.deepEqual(responses.error.parse(refused.body), refused.body);
});

/** The schema as the description has it, with what it refers to beside it. */
function describedAnswer({ method, path }: Operation): Parameters<typeof z.fromJSONSchema>[0] {
  const operation = description.paths[path.replace(/:(\w+)/g, '{$1}')]?.[method];
  const schema = operation?.responses['200']?.content['application/json']?.schema;
  assert.ok(schema, path);
  const whole = { ...schema, $defs: description.components.schemas };
  return JSON.parse(JSON.stringify(whole).replaceAll('#/components/schemas/', '#/$defs/'));
}
