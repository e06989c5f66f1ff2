import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createMonthOf } from '../../app/costs/month.ts';

const at = (time: string) => Date.parse(time);

test('a month begins at midnight of the operator’s time zone', () => {
  const [utc, madrid, kiritimati] = ['UTC', 'Europe/Madrid', 'Pacific/Kiritimati'].map(createMonthOf);
  assert.equal(utc?.(at('2026-11-30T23:59:59.999Z')), '2026-11');
  assert.equal(utc?.(at('2026-12-01T00:00:00Z')), '2026-12');
  assert.equal(madrid?.(at('2026-11-30T22:59:59.999Z')), '2026-11');
  assert.equal(madrid?.(at('2026-11-30T23:00:00Z')), '2026-12');
  assert.equal(kiritimati?.(at('2026-11-30T10:00:00Z')), '2026-12', 'fourteen hours ahead');
});

test('a month is named anew with every minute, also backwards', () => {
  const monthOf = createMonthOf('Asia/Kathmandu');
  const midnight = at('2026-12-31T18:15:00Z');
  const times = [midnight - 1, midnight, midnight - 1, midnight + 59_999, midnight - 60_000];
  assert.deepEqual(times.map(monthOf), ['2026-12', '2027-01', '2026-12', '2027-01', '2026-12']);
});
