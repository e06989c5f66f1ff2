import assert from 'node:assert/strict';
import { test } from 'node:test';
import { assert as holds, integer, property } from 'fast-check';
import { decimalOf, readAmount } from '../app/money.ts';

test('reads amounts as people write them, and nothing else', () => {
  assert.equal(readAmount('50'), 50_000_000_000);
  assert.equal(readAmount('0.0045'), 4_500_000);
  assert.equal(readAmount('0.000000001'), 1);
  for (const given of ['', '-1', '1.', '.5', '1,5', '1e3', '0.0000000001', '9999999', 'Infinity', '٣'])
    assert.equal(readAmount(given), null, given);
});

test('writes amounts with at least two decimals, and no zeros behind them', () => {
  assert.deepEqual([0, 12_500_000_000, 4_500_000, 1].map(decimalOf), ['0.00', '12.50', '0.0045', '0.000000001']);
  assert.equal(decimalOf(-1_250_000_000n), '-1.25');
  assert.equal(decimalOf(123_456_789_012_345_678_901n), '123456789012.345678901', 'more than a number holds');
});

test('an amount that is written and read again is the same', () => {
  holds(
    property(integer({ min: 0, max: Number.MAX_SAFE_INTEGER }), (billionths) => {
      assert.equal(readAmount(decimalOf(billionths)), billionths);
    }),
  );
});
