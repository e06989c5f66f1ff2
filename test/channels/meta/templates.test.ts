import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { createGraph } from '../../../app/channels/meta/graph.ts';
import { listTemplates, templateBody } from '../../../app/channels/meta/templates.ts';
import { isFailure } from '../../../app/errors.ts';
import { scrub } from '../../../app/privacy/scrub.ts';
import { type MetaDouble, startMetaDouble } from '../../doubles/meta.ts';
import { ACCESS_TOKEN, ACCOUNT_ID, NUMBERS } from '../../support/meta.ts';
import { META_TEMPLATES } from '../../support/templates.ts';

let meta: MetaDouble;
before(async () => {
  meta = await startMetaDouble({ accessToken: ACCESS_TOKEN, numbers: NUMBERS, accountId: ACCOUNT_ID });
});
after(() => meta.close());

const list = () =>
  listTemplates(createGraph({ accessToken: ACCESS_TOKEN, apiBase: meta.url, timeoutMs: 10_000 }), ACCOUNT_ID);

describe('the list of templates at Meta', () => {
  test('is read to its end, page by page, in order', async () => {
    const many = Array.from({ length: 600 }, (_, i) => ({ name: `t${i}`, language: 'en', status: 'APPROVED' }));
    meta.templates.splice(0, meta.templates.length, ...many);
    const listed = await list();
    assert.deepEqual(
      listed.map(({ name }) => name),
      many.map(({ name }) => name),
    );
  });

  test('says of each what it is and what has to be filled in', async () => {
    meta.templates.splice(0, meta.templates.length, ...META_TEMPLATES);
    const [booked, welcome, spanish, offer] = await list();
    assert.deepEqual([booked?.state, booked?.category, booked?.variables], ['approved', 'utility', ['1', '2']]);
    assert.deepEqual(
      [welcome?.header, welcome?.body, welcome?.footer, welcome?.buttons, welcome?.variables],
      ['Casa Lola', 'Welcome! How can we help you?', 'Write STOP to end this.', ['Book a table'], []],
    );
    assert.deepEqual([spanish?.state, spanish?.reason], ['rejected', 'TAG_CONTENT_MISMATCH']);
    assert.equal(offer?.header, '{{header.image}}');
    assert.deepEqual(offer?.variables, ['header.image', 'first_name', 'offer', 'button.0', 'code.1']);
  });

  test('leaves out what cannot be read, and nothing else', async () => {
    const odd = [
      { name: 7, language: 'en', status: 'APPROVED' },
      { name: 'good', language: 'en', status: 'A_NEW_STATE', components: 'none' },
      { name: 'hostile', language: 'en', status: 'APPROVED', components: [{ type: 'BODY', text: 'a\0b {{1}} {{1}}' }] },
    ];
    meta.templates.splice(0, meta.templates.length, ...(odd as unknown as MetaDouble['templates']));
    assert.deepEqual(
      (await list()).map(({ name, state, body, variables }) => [name, state, body, variables]),
      [
        ['good', 'pending', '', []],
        ['hostile', 'approved', 'ab {{1}} {{1}}', ['1']],
      ],
    );
  });

  test('is a failure that may be tried again when Meta answers with something else', async () => {
    meta.faults.push({ kind: 'status', status: 200, body: '{"data":"later"}' });
    const error: unknown = await list().catch((reason) => reason);
    assert.ok(isFailure(error) && error.code === 'channel.unreachable');
  });
});

describe('a message with a template', () => {
  const body = (variables: Record<string, string>) => {
    const entries = Object.entries(variables).map(([name, value]) => [name, scrub(value)] as const);
    return templateBody({ template: { name: 'offer', language: 'en' }, variables: Object.fromEntries(entries) });
  };
  const componentsOf = (variables: Record<string, string>) =>
    (body(variables) as { template: { components?: unknown[] } }).template.components;

  test('names nothing that the template does not need', () => {
    assert.deepEqual(body({}), { type: 'template', template: { name: 'offer', language: { code: 'en' } } });
  });

  test('puts each variable where its name says, those that are counted in their order', () => {
    assert.deepEqual(componentsOf({ '10': 'ten', '2': 'two', '1': 'one', 'header.1': 'Madrid' }), [
      { type: 'header', parameters: [{ type: 'text', text: 'Madrid' }] },
      {
        type: 'body',
        parameters: ['one', 'two', 'ten'].map((text) => ({ type: 'text', text })),
      },
    ]);
    assert.deepEqual(
      componentsOf({
        'header.image': 'https://example.com/a.jpg',
        first_name: 'Ana',
        'button.0': 'summer',
        'code.1': 'SUN10',
      }),
      [
        { type: 'header', parameters: [{ type: 'image', image: { link: 'https://example.com/a.jpg' } }] },
        { type: 'body', parameters: [{ type: 'text', text: 'Ana', parameter_name: 'first_name' }] },
        { type: 'button', sub_type: 'url', index: '0', parameters: [{ type: 'text', text: 'summer' }] },
        {
          type: 'button',
          sub_type: 'copy_code',
          index: '1',
          parameters: [{ type: 'coupon_code', coupon_code: 'SUN10' }],
        },
      ],
    );
  });

  test("with Twilio's id is refused", () => {
    const template = { contentSid: `HX${'0'.repeat(32)}` };
    assert.throws(() => templateBody({ template, variables: {} }), /name and a language/);
  });
});
