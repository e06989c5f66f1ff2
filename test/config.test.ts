import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { parseEnv } from 'node:util';
import { DEFAULT_FAILURE_REPLY, type Environment, readConfig, SETTINGS, settingWarnings } from '../app/config.ts';
import { SettingsError } from '../app/errors.ts';
import { argumentsFor } from './support/program.ts';

const ACCOUNT = { TWILIO_ACCOUNT_SID: `AC${'0'.repeat(32)}`, TWILIO_AUTH_TOKEN: 'token', OPENAI_API_KEY: 'key' };

function problemsOf(environment: Environment): readonly string[] {
  try {
    readConfig(environment);
  } catch (error) {
    assert.ok(error instanceof SettingsError);
    return error.problems;
  }
  return [];
}

test('starts with nothing configured: simulator, practice model, embedded Redis', () => {
  const config = readConfig({});
  assert.equal(config.port, 3002);
  assert.equal(config.simulator, true);
  assert.equal(config.twilio, null);
  assert.equal(config.model, null);
  assert.deepEqual(config.redis, { kind: 'embedded' });
  assert.equal(config.failureReply, DEFAULT_FAILURE_REPLY);
  assert.equal(config.systemPrompt, null);
  assert.deepEqual(config.business, { name: null, purpose: null });
});

test('takes an empty text as not given, but an empty FAILURE_REPLY or AI_DISCLOSURE as nothing to say', () => {
  const empty = Object.fromEntries(Object.keys(SETTINGS).map((name) => [name, '']));
  assert.deepEqual({ ...readConfig(empty) }, { ...readConfig({ FAILURE_REPLY: '', AI_DISCLOSURE: '' }) });
  assert.equal(readConfig({ FAILURE_REPLY: '' }).failureReply, '');
  assert.equal(readConfig({ AI_DISCLOSURE: 'default' }).aiDisclosure, readConfig({}).aiDisclosure);
});

test('tells all problems at once, each with the name, what was expected and what the setting is', () => {
  const problems = problemsOf({
    PORT: 'eighty',
    TRUST_PROXY: 'maybe',
    TWIML_DEADLINE_MS: '20000',
    TIME_ZONE: 'Mars/Base',
  });
  assert.equal(problems.length, 4);
  assert.match(problems[0] ?? '', /^PORT: expected a whole number from 1 to 65535, got "eighty"\. It is: HTTP port\.$/);
  assert.match(problems[1] ?? '', /^TRUST_PROXY: expected true or false/);
  assert.match(problems[2] ?? '', /^TWIML_DEADLINE_MS: expected a whole number from 0 to 14500/);
  assert.match(problems[3] ?? '', /^TIME_ZONE: expected a name such as/);
});

test('never shows a secret that is wrong', () => {
  const [problem] = problemsOf({ ...ACCOUNT, REDIS_URL: 'http://:hunter2@redis:6379' });
  assert.match(problem ?? '', /^REDIS_URL: expected an address/);
  assert.doesNotMatch(problem ?? '', /hunter2/);
});

test('takes no API key that could be guessed, and does not show it', () => {
  const long = 'a-key-of-a-program';
  assert.deepEqual(readConfig({ API_KEYS: ` ${long}, ${long}-2,` }).apiKeys, [long, `${long}-2`]);
  const [problem] = problemsOf({ API_KEYS: `${long},hunter2` });
  assert.match(problem ?? '', /^API_KEYS: expected keys of at least 16 characters each .*not shown/);
  assert.doesNotMatch(problem ?? '', /hunter2/);
});

test('takes a secret of webhooks only as receivers expect it', () => {
  const secret = (bytes: number) => `whsec_${Buffer.alloc(bytes, 1).toString('base64')}`;
  for (const bytes of [24, 32, 64])
    assert.equal(readConfig({ WEBHOOK_SECRET: secret(bytes) }).webhookSecret, secret(bytes));
  for (const wrong of [secret(23), secret(65), 'hunter2', 'whsec_hunter2-hunter2-hunter2-hunter2-hunter2'])
    assert.match(problemsOf({ WEBHOOK_SECRET: wrong })[0] ?? '', /^WEBHOOK_SECRET: expected whsec_ .*not shown/);
});

test('says what is missing beside what was given', () => {
  assert.match(
    problemsOf({ TWILIO_ACCOUNT_SID: ACCOUNT.TWILIO_ACCOUNT_SID, OPENAI_API_KEY: 'k' })[0] ?? '',
    /TWILIO_AUTH_TOKEN/,
  );
  assert.match(problemsOf({ TWILIO_AUTH_TOKEN: 'token' })[0] ?? '', /TWILIO_ACCOUNT_SID/);
  assert.match(
    problemsOf({ ...ACCOUNT, OPENAI_API_KEY: '' })[0] ?? '',
    /OPENAI_API_KEY, OPENAI_BASE_URL or GOOGLE_API_KEY/,
  );
  assert.match(problemsOf({ SIMULATOR: 'off' })[0] ?? '', /no provider is configured/);
});

const META = { ACCESS_TOKEN: 'token', PHONE_NUMBER_ID: '123456', VERIFY_TOKEN: 'word', META_APP_SECRET: 'secret' };

test('takes a number of Meta alone or beside Twilio, and no simulator with it', () => {
  const config = readConfig({ ...META, PHONE_NUMBER_ID: '123456, 789', OPENAI_API_KEY: 'key' });
  assert.deepEqual([config.simulator, config.twilio], [false, null]);
  assert.deepEqual(config.meta, {
    accessToken: 'token',
    phoneNumberIds: ['123456', '789'],
    verifyToken: 'word',
    accountId: undefined,
    appSecret: 'secret',
    apiBase: SETTINGS.GRAPH_API_BASE.default,
  });
  assert.ok(readConfig({ ...META, ...ACCOUNT }).twilio);
  assert.equal(readConfig({ ...META, OPENAI_API_KEY: 'key', SIMULATOR: 'on' }).meta, null);
  assert.equal(
    readConfig({ ...META, OPENAI_API_KEY: 'key', GRAPH_API_BASE: 'http://localhost:1/v22.0/' }).meta?.apiBase,
    'http://localhost:1/v22.0',
  );
});

test('says what a number of Meta needs', () => {
  const needs = (environment: Environment) => problemsOf({ ...META, OPENAI_API_KEY: 'key', ...environment })[0] ?? '';
  assert.equal(needs({}), '');
  for (const name of ['ACCESS_TOKEN', 'PHONE_NUMBER_ID', 'VERIFY_TOKEN', 'META_APP_SECRET'])
    assert.match(needs({ [name]: '' }), new RegExp(`^${name}: is missing`));
  assert.equal(needs({ META_APP_SECRET: '', META_VALIDATE_SIGNATURE: 'false' }), '');
  const unchecked = readConfig({ ...META, OPENAI_API_KEY: 'key', META_VALIDATE_SIGNATURE: 'false' });
  assert.equal(unchecked.meta?.appSecret, null);
  assert.match(needs({ OPENAI_API_KEY: '' }), /GOOGLE_API_KEY/);
  assert.match(needs({ GRAPH_API_BASE: 'http://graph.facebook.com/v25.0' }), /https/);
});

test('takes Gemini when there is no other model server, and lets it listen when there is none for speech', () => {
  const gemini = readConfig({ GOOGLE_API_KEY: 'google' }).model;
  assert.match(gemini?.baseUrl ?? '', /googleapis\.com.*\/openai$/);
  assert.deepEqual(
    [gemini?.apiKey, gemini?.answer, gemini?.summary, gemini?.transcribe, gemini?.listens],
    ['google', 'gemini-3.8-flash', 'gemini-3.8-flash', 'gemini-3.8-flash', true],
  );
  assert.equal(readConfig({ GOOGLE_API_KEY: 'google', OPENAI_MODEL: 'gemini-pro' }).model?.answer, 'gemini-pro');
  const whisper = readConfig({ GOOGLE_API_KEY: 'google', OPENAI_TRANSCRIBE_BASE_URL: 'http://whisper:8000/v1' }).model;
  assert.deepEqual(
    [whisper?.listens, whisper?.transcribe, whisper?.transcribeKey],
    [false, 'gpt-transcribe', 'not-needed'],
  );
  const both = readConfig({ GOOGLE_API_KEY: 'google', OPENAI_API_KEY: 'openai' }).model;
  assert.deepEqual(
    [both?.apiKey, both?.baseUrl, both?.answer, both?.listens],
    ['openai', undefined, 'gpt-5.4-mini', false],
  );
});

test('reads the account, and the sender however it is written', () => {
  for (const number of ['whatsapp:+14155238886', '+14155238886', '14155238886']) {
    const config = readConfig({ ...ACCOUNT, TWILIO_WHATSAPP_NUMBER: number });
    assert.equal(config.twilio?.number, '14155238886');
    assert.equal(config.simulator, false);
  }
});

test('reads every way to name a Redis', () => {
  assert.deepEqual(readConfig({ REDIS_URL: 'redis://r:1' }).redis, { kind: 'url', url: 'redis://r:1' });
  assert.deepEqual(readConfig({ REDIS_URL: 'redis://r:1', REDIS_HOST: 'other' }).redis, {
    kind: 'url',
    url: 'redis://r:1',
  });
  assert.deepEqual(readConfig({ REDIS_HOST: 'r', REDIS_PASSWORD: 'p' }).redis, {
    kind: 'host',
    host: 'r',
    port: 6379,
    password: 'p',
  });
  assert.deepEqual(readConfig({ REDIS_CLUSTER_NODES: 'a:7000,b:7001' }).redis, {
    kind: 'cluster',
    nodes: [
      { host: 'a', port: 7000 },
      { host: 'b', port: 7001 },
    ],
    password: undefined,
  });
});

test('takes the system prompt from a file, and says so when it cannot be read', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'recado-test-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const file = join(folder, 'prompt.txt');
  writeFileSync(file, 'You are a pirate.\n');
  assert.equal(readConfig({ SYSTEM_PROMPT_FILE: file }).systemPrompt, 'You are a pirate.');
  assert.match(
    problemsOf({ SYSTEM_PROMPT_FILE: `${file}.gone` })[0] ?? '',
    /SYSTEM_PROMPT_FILE: cannot be read \(ENOENT\)/,
  );
});

test('takes the purpose of the business as a paragraph or from a file, not both', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'recado-test-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const file = join(folder, 'business.md');
  writeFileSync(file, '# Bakery Aurora\n\nBread.\n');
  const name = 'Bakery Aurora';
  assert.deepEqual(readConfig({ BUSINESS_NAME: name, BUSINESS_PURPOSE: 'Bread.' }).business, {
    name,
    purpose: 'Bread.',
  });
  assert.deepEqual(readConfig({ BUSINESS_FILE: file }).business, { name: null, purpose: '# Bakery Aurora\n\nBread.' });
  assert.match(problemsOf({ BUSINESS_FILE: file, BUSINESS_PURPOSE: 'Bread.' })[0] ?? '', /only one of the two/);
  assert.match(problemsOf({ BUSINESS_FILE: `${file}.gone` })[0] ?? '', /BUSINESS_FILE: cannot be read \(ENOENT\)/);
});

test('takes a budget as an amount and a currency', () => {
  const budget = (given: string) => readConfig({ MONTHLY_BUDGET: given }).monthlyBudget;
  assert.equal(budget(''), null);
  assert.deepEqual(budget('50 USD'), { billionths: 50_000_000_000, currency: 'USD' });
  assert.deepEqual(budget('0.5usd'), { billionths: 500_000_000, currency: 'USD' });
  for (const given of ['50', '0 USD', '-5 USD', '5,50 USD', 'USD', '$5']) {
    assert.match(
      problemsOf({ MONTHLY_BUDGET: given })[0] ?? '',
      /^MONTHLY_BUDGET: expected an amount and a currency such/,
    );
  }
  const [problem] = problemsOf({ MONTHLY_BUDGET: '50 EUR' });
  assert.match(
    problem ?? '',
    /is in EUR, but the prices of models are in USD\. Give the budget in USD, or prices in EUR by/,
  );
});

test('takes prices from a file, and says what is wrong with it and what to do', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'recado-test-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const file = join(folder, 'prices.json');
  const own = { currency: 'EUR', models: { llama3: { input: '0.1', output: '0.2' } }, messages: { twilio: '0.005' } };
  writeFileSync(file, JSON.stringify(own));
  const config = readConfig({ MODEL_PRICES: file, MONTHLY_BUDGET: '50 EUR' });
  assert.deepEqual([config.prices.currency, Object.keys(config.prices.models)], ['EUR', ['llama3']]);
  assert.match(problemsOf({ MODEL_PRICES: `${file}.gone` })[0] ?? '', /^MODEL_PRICES: cannot be read \(ENOENT\)/);
  writeFileSync(file, '{"currency": "EUR", "models": {"llama3": {"input": "cheap", "output": "0.2"}}}');
  const [problem] = problemsOf({ MODEL_PRICES: file });
  assert.match(
    problem ?? '',
    /^MODEL_PRICES: .*prices\.json cannot be used: models\.llama3\.input: expected a price such/,
  );
  assert.match(problem ?? '', /Correct it, see "Prices" in docs\/costs\.md, or leave MODEL_PRICES empty\.$/);
});

test('warns of a budget that does not count the models that are asked', () => {
  const warnings = (environment: Environment) => settingWarnings(environment, readConfig(environment));
  const own = { ...ACCOUNT, OPENAI_MODEL: 'llama3', ANALYSIS: 'off' };
  assert.deepEqual(warnings(own), []);
  assert.match(warnings({ ...own, MONTHLY_BUDGET: '50 USD' })[0] ?? '', /does not count what llama3 costs/);
  assert.deepEqual(warnings({ ...ACCOUNT, MONTHLY_BUDGET: '50 USD' }), []);
});

test('.env.example has every setting with its default and the sentence of the table', () => {
  const example = readFileSync(new URL('../.env.example', import.meta.url), 'utf8');
  const values = parseEnv(example);
  assert.deepEqual(Object.keys(values).sort(), Object.keys(SETTINGS).sort());
  for (const [name, setting] of Object.entries(SETTINGS)) {
    assert.equal(values[name], setting.default, `${name} has another default in .env.example`);
    assert.ok(example.includes(`# ${setting.meaning}\n${name}=`), `${name} lacks its sentence in .env.example`);
  }
  assert.ok(readConfig(values).simulator, '.env.example works as it is');
});

test('docs/settings.md and docker-compose.yml name every setting', () => {
  const docs = readFileSync(new URL('../docs/settings.md', import.meta.url), 'utf8');
  const compose = readFileSync(new URL('../docker-compose.yml', import.meta.url), 'utf8');
  for (const [name, setting] of Object.entries(SETTINGS)) {
    const shown = setting.default === '' ? '' : `\`${setting.default}\``;
    assert.ok(
      docs.includes(`| \`${name}\` | ${shown} | ${setting.meaning} |`),
      `docs/settings.md lacks the row of ${name}`,
    );
    assert.match(compose, new RegExp(`\\b${name}:`), `${name} is not passed on by docker-compose.yml`);
  }
  assert.ok(
    compose.includes(`\${FAILURE_REPLY-${DEFAULT_FAILURE_REPLY}}`),
    'FAILURE_REPLY has another default in docker-compose.yml',
  );
});

test('docs/operations.md has a line for every script', () => {
  const docs = readFileSync(new URL('../docs/operations.md', import.meta.url), 'utf8');
  // Our own file, with this field.
  const { scripts } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as {
    scripts: Record<string, string>;
  };
  const commandOf = (name: string) => (['start', 'test'].includes(name) ? `npm ${name}` : `npm run ${name}`);
  const missing = Object.keys(scripts).filter((name) => !docs.includes(`| \`${commandOf(name)}\` |`));
  assert.deepEqual(missing, []);
});

test('a start with wrong settings ends with a list, exit code 1 and no stack trace', () => {
  const started = spawnSync(process.execPath, argumentsFor('app/main.ts'), {
    cwd: tmpdir(),
    env: { PATH: process.env.PATH, PORT: '0', TWILIO_ACCOUNT_SID: 'AC123' },
    encoding: 'utf8',
    timeout: 120_000,
  });
  assert.equal(started.status, 1);
  assert.match(started.stderr, /cannot start/);
  assert.match(started.stderr, /- PORT: /);
  assert.match(started.stderr, /- TWILIO_ACCOUNT_SID: /);
  assert.doesNotMatch(started.stderr, /\bat .*:\d+:\d+/);
});

describe('what cannot work', () => {
  const cases: [name: string, environment: Record<string, string>, says: RegExp][] = [
    ['a password of Redis without its address', { REDIS_PASSWORD: 'x' }, /REDIS_PASSWORD: belongs to REDIS_HOST/],
    ['a port that cannot be', { REDIS_CLUSTER_NODES: 'node:99999' }, /REDIS_CLUSTER_NODES: .*1 to 65535/],
    ['an apology of spaces', { FAILURE_REPLY: '   ' }, /FAILURE_REPLY: expected words, or nothing at all/],
    ['a password of one letter', { ADMIN_PASSWORD: 'a' }, /ADMIN_PASSWORD: expected at least 8 characters/],
    ['an empty file', { SYSTEM_PROMPT_FILE: '/dev/null' }, /SYSTEM_PROMPT_FILE: \/dev\/null is empty/],
    ['another empty file', { ANALYSIS_PROMPT_FILE: '/dev/null' }, /ANALYSIS_PROMPT_FILE: \/dev\/null is empty/],
  ];
  for (const [name, environment, says] of cases)
    test(`${name} is named at start`, () => {
      assert.throws(
        () => readConfig(environment),
        (error) => error instanceof SettingsError && error.problems.some((problem) => says.test(problem)),
      );
    });

  test('a secret in the wrong place is not printed', () => {
    const secret = 'hunter2-hunter2-hunter2';
    for (const name of Object.keys(SETTINGS)) {
      const environment = { [name]: name === 'REDIS_CLUSTER_NODES' ? `user:${secret}@node:1` : `${secret} ${secret}` };
      try {
        readConfig(environment);
      } catch (error) {
        assert.ok(error instanceof SettingsError);
        assert.doesNotMatch(error.problems.join(' '), /hunter2/, name);
      }
    }
    assert.throws(
      () => readConfig({ PORT: '99999' }),
      (error) => /got "99999"/.test(String((error as SettingsError).problems)),
    );
  });
});

describe('what is understood', () => {
  test('the address of the webhook as PUBLIC_URL', () => {
    const base = 'https://bot.example.com';
    for (const path of [
      '',
      '/',
      '/whatsapp',
      '/whatsapp/',
      '/api/whatsapp/webhook',
      '/whatsapp-endpoint',
      '/twilio/status',
    ])
      assert.equal(readConfig({ PUBLIC_URL: base + path }).publicUrl, base, path);
    assert.equal(readConfig({ PUBLIC_URL: `${base}/bots/one/whatsapp` }).publicUrl, `${base}/bots/one`);
    assert.equal(readConfig({ PUBLIC_URL: `${base}/bots/one` }).publicUrl, `${base}/bots/one`);
  });

  test('settings of other programs lead to ours', () => {
    const environment = {
      SUPABASE_URL: 'https://x.supabase.co',
      TWILIO_WEBHOOK_URL: 'https://x',
      MONGO_URI: '',
      LEASE_MS: '1000',
    };
    const warnings = settingWarnings(environment, readConfig(environment));
    assert.equal(warnings.length, 3);
    assert.match(
      warnings.join('\n'),
      /PUBLIC_URL[\s\S]*SUPABASE_URL has no effect here: DATABASE_URL[\s\S]*LEASE_MS=1000 is short/,
    );
    assert.deepEqual(settingWarnings({}, readConfig({})), []);
    for (const name of Object.keys(SETTINGS)) assert.deepEqual(settingWarnings({ [name]: 'x' }, readConfig({})), []);
  });
});
