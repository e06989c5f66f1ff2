import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Channel, Template } from '../../app/channels/channel.ts';
import { createChannels } from '../../app/channels/channels.ts';
import { Failure, isFailure } from '../../app/errors.ts';
import { type TemplateMessage, templateName, templateRef } from '../../app/message.ts';
import { createTemplates, filledTemplate, problemOf, textOfTemplate } from '../../app/outbound/templates.ts';
import { scrub } from '../../app/privacy/scrub.ts';

const BOOKED: Template = {
  ref: { name: 'table_booked', language: 'en' },
  name: 'table_booked',
  language: 'en',
  category: 'utility',
  state: 'approved',
  header: scrub('Casa Lola, {{header.1}}'),
  body: scrub('Hello {{1}}, your table on {{2}} is booked. See you on {{ 2 }}!'),
  footer: scrub('Write STOP to end this.'),
  buttons: [scrub('Change it'), scrub('Cancel')],
  variables: ['header.1', '1', '2'],
};

function message(variables: Record<string, string>, ref = BOOKED.ref): TemplateMessage {
  const entries = Object.entries(variables).map(([name, value]) => [name, scrub(value)] as const);
  return { template: ref, variables: Object.fromEntries(entries) };
}

const FULL = message({ 'header.1': 'Madrid', '1': 'Ana', '2': '12 May' });

test('a template reads as the person will read it', () => {
  assert.equal(
    textOfTemplate(BOOKED, FULL),
    'Casa Lola, Madrid\n\nHello Ana, your table on 12 May is booked. See you on 12 May!\n\nWrite STOP to end this.\n\n[Change it] [Cancel]',
  );
  assert.equal(
    filledTemplate(BOOKED, FULL).body,
    'Hello Ana, your table on 12 May is booked. See you on 12 May!',
    'what a provider lists has the body alone',
  );
});

test('a value is never read as a variable', () => {
  const odd = message({ 'header.1': '{{1}}', '1': '{{2}} $& $1', '2': 'x' });
  assert.match(textOfTemplate(BOOKED, odd), /^Casa Lola, \{\{1\}\}\n\nHello \{\{2\}\} \$& \$1, your table on x/);
});

test('what is not known is shown by its name and values', () => {
  assert.equal(textOfTemplate(null, message({ '1': 'Ana' })), '[table_booked:en] Ana');
  assert.equal(textOfTemplate(null, message({})), '[table_booked:en]');
});

test('what does not fit is said before anything is sent', () => {
  assert.equal(problemOf(BOOKED, FULL), null);
  const cases: [Template, TemplateMessage, RegExp][] = [
    [{ ...BOOKED, state: 'paused' }, FULL, /table_booked:en is paused/],
    [{ ...BOOKED, state: 'pending' }, FULL, /pending/],
    [BOOKED, message({ '1': 'Ana', '2': ' ' }), /needs the variables header\.1, 2\./],
    [BOOKED, message({ ...FULL.variables, '3': 'x' }), /has no variable 3\./],
    [BOOKED, message({ ...FULL.variables, '1': 'Ana\nBen' }), /no line breaks.* in the variable 1\./],
  ];
  for (const [template, wanted, expected] of cases) assert.match(problemOf(template, wanted) ?? '', expected);
});

test('the name of a template is read back', () => {
  for (const name of ['order_ready:en', 'order_ready:pt_BR', 'a:zh-Hant', `HX${'0aF1'.repeat(8)}`]) {
    const ref = templateRef(name);
    assert.equal(ref && templateName(ref), name);
  }
  // Read in no time, however odd it is.
  assert.equal(templateRef(`a:en${'_'.repeat(5_000)}!`), null);
  for (const name of ['', 'order_ready', ':en', 'a:', 'a b:en', 'HX12', 'a:en:US', 'a:1'])
    assert.equal(templateRef(name), null, name);
});

test('the list is asked once in a while, and again for a template that is not in it', async () => {
  let asked = 0;
  const listed: Template[] = [];
  const templates = createTemplates(
    channelsWith(async () => {
      asked++;
      return [...listed];
    }),
  );
  assert.deepEqual(await templates.list('test'), []);
  listed.push(BOOKED);
  assert.deepEqual(await templates.list('test'), [], 'as it was a moment ago');
  assert.equal((await templates.check('test', FULL))?.name, 'table_booked');
  assert.equal((await templates.check('test', FULL))?.name, 'table_booked');
  assert.equal(asked, 2);
});

test('a list that could not be read is asked for again at once', async () => {
  let isAway = true;
  const templates = createTemplates(
    channelsWith(async () => {
      if (isAway) throw new Failure('channel.unreachable', 'away');
      return [BOOKED];
    }),
  );
  assert.equal(await codeOf(templates.check('test', FULL)), 'channel.unreachable');
  isAway = false;
  assert.ok(await templates.check('test', FULL));
});

test('where there is no list, a template is sent unchecked', async () => {
  const templates = createTemplates(
    channelsWith(() => Promise.reject(new Failure('channel.template', 'Set BUSINESS_ACCOUNT_ID.'))),
  );
  assert.equal(await templates.check('test', FULL), null);
  assert.equal(await codeOf(templates.list('test')), 'channel.template');
});

function channelsWith(templates: () => Promise<Template[]>) {
  const nobody = () => assert.fail('nobody asks for it');
  const channel: Channel = {
    name: 'test',
    limits: { textLength: 1_000 },
    send: nobody,
    typing: nobody,
    explain: () => null,
    download: nobody,
    findSent: nobody,
    templates,
  };
  return createChannels([channel]);
}

async function codeOf(attempt: Promise<unknown>): Promise<string> {
  const error: unknown = await attempt.then(
    () => assert.fail('it did not fail'),
    (reason) => reason,
  );
  return isFailure(error) ? error.code : String(error);
}
