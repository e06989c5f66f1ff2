import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { createPrices, readPriceTable } from '../../app/costs/prices.ts';

const OURS = readFileSync(new URL('../../app/costs/prices.json', import.meta.url), 'utf8');

function ask(name: string, usage: Parameters<ReturnType<typeof createPrices>['costOf']>[1], own?: object) {
  const table = readPriceTable(own === undefined ? undefined : JSON.stringify(own));
  return createPrices(table).costOf(name, usage);
}

describe('the price of a model', () => {
  const usd = (billionths: number) => ({ billionths, currency: 'USD' });

  test('is that of its tokens; what the provider had in its cache has a price of its own', () => {
    const own = { currency: 'USD', models: { small: { input: '2', cached_input: '0.5', output: '8' } } };
    const tokens = { prompt: 1_000, completion: 10, cached: 600 };
    assert.deepEqual(ask('small', { tokens }, own), usd(400 * 2_000 + 600 * 500 + 10 * 8_000));
  });

  test('counts what is written to the cache, and takes the input price where the table says nothing else', () => {
    const tokens = { prompt: 1_000, completion: 0, cached: 100, cacheWrites: 200 };
    const dear = { currency: 'USD', models: { x: { input: '2', cache_write: '2.5', output: '8' } } };
    assert.deepEqual(ask('x', { tokens }, dear), usd(700 * 2_000 + 100 * 2_000 + 200 * 2_500));
    const plain = { currency: 'USD', models: { x: { input: '2', output: '8' } } };
    assert.deepEqual(ask('x', { tokens }, plain), usd(1_000 * 2_000));
  });

  test('is rounded once, to a billionth', () => {
    const own = { currency: 'USD', models: { x: { input: '0.0005', output: '0' } } };
    const cost = (prompt: number) => ask('x', { tokens: { prompt, completion: 0, cached: 0 } }, own)?.billionths;
    assert.deepEqual([0, 1, 2, 3, 1_000_000].map(cost), [0, 1, 1, 2, 500_000]);
  });

  test('is that of the minutes of a recording', () => {
    assert.deepEqual(ask('gpt-transcribe', { audioMs: 20_000 }), usd(1_500_000));
    assert.equal(
      ask('gpt-transcribe', { tokens: { prompt: 9, completion: 9, cached: 0 } }),
      null,
      'no length is known',
    );
  });

  test('is found whatever is in front of the name and behind it', () => {
    const tokens = { prompt: 1_000_000, completion: 0, cached: 0 };
    for (const name of ['gpt-5.4-mini', 'openai/gpt-5.4-mini', 'gpt-5.4-mini-2026-03-17'])
      assert.deepEqual(ask(name, { tokens }), usd(750_000_000), name);
    assert.equal(ask('llama3:8b', { tokens }), null);
    assert.equal(ask('gpt-5.4-mini-of-somebody-else', { tokens }), null);
  });

  test('is never below nothing, whatever a server counts', () => {
    const tokens = { prompt: 10, completion: 0, cached: 500 };
    const own = { currency: 'USD', models: { x: { input: '2', cached_input: '0', output: '8' } } };
    assert.deepEqual(ask('x', { tokens }, own), usd(0));
    const endless = { prompt: 2 ** 40, completion: 2 ** 40, cached: 0 };
    const dear = { currency: 'USD', models: { x: { input: '9000000', output: '9000000' } } };
    assert.deepEqual(ask('x', { tokens: endless }, dear), usd(Number.MAX_SAFE_INTEGER));
  });
});

describe('the table of the project', () => {
  test('has a date, and a source for every figure', () => {
    const table = JSON.parse(OURS);
    assert.match(table.date, /^\d{4}-\d{2}-\d{2}$/);
    for (const [name, { source }] of Object.entries<{ source?: string }>(table.models)) assert.ok(source, name);
  });

  test('knows the models that are asked when nothing else is set, and those of the practice', () => {
    const { knows } = createPrices(readPriceTable());
    for (const name of ['gpt-5.4-mini', 'gpt-transcribe', 'practice', 'practice-summary']) assert.ok(knows(name), name);
  });

  test('makes no price of a message up', () => {
    assert.deepEqual(createPrices(readPriceTable()).messages, []);
  });
});

describe('the operator’s table', () => {
  test('wins where it names a model, and leaves the others as they are', () => {
    const own = { currency: 'USD', models: { 'gpt-5.4-mini': { input: 1, output: 2 } } };
    const { costOf, knows } = createPrices(readPriceTable(JSON.stringify(own)));
    const cost = costOf('gpt-5.4-mini', { tokens: { prompt: 1_000_000, completion: 0, cached: 0 } });
    assert.deepEqual(cost, { billionths: 1_000_000_000, currency: 'USD' });
    assert.ok(knows('gpt-5.4-nano'));
  });

  test('in another currency stands alone', () => {
    const { knows, currency } = createPrices(readPriceTable('{"currency":"EUR","models":{"x":{"minute":"0.01"}}}'));
    assert.deepEqual([currency, knows('x'), knows('gpt-5.4-mini')], ['EUR', true, false]);
  });

  test('may say what messages cost, all of a channel or by category', () => {
    const own = { currency: 'USD', messages: { twilio: 0.005, meta: { utility: '0.0085' } } };
    assert.deepEqual(createPrices(readPriceTable(JSON.stringify(own))).messages, [
      { channel: 'twilio', category: null, cost: { billionths: 5_000_000, currency: 'USD' } },
      { channel: 'meta', category: 'utility', cost: { billionths: 8_500_000, currency: 'USD' } },
    ]);
  });

  test('says what is wrong where', () => {
    const wrong: [string, RegExp][] = [
      ['{', /^the table: expected JSON$/],
      ['{"currency":"usd"}', /^currency: expected a code such as USD$/],
      ['{"currency":"USD","modles":{}}', /^the table: knows only date, currency, models and messages$/],
      ['{"currency":"USD","models":{"x":{"input":"1"}}}', /^models\.x: expected "input" and "output"/],
      ['{"currency":"USD","models":{"x":{"minute":"-1"}}}', /^models\.x\.minute: expected a price such as "0\.75"/],
      ['{"currency":"USD","messages":{"twilio":"free"}}', /^messages\.twilio: expected a price such as "0\.005"/],
    ];
    for (const [json, expected] of wrong) assert.throws(() => readPriceTable(json), { message: expected }, json);
  });
});
