import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createOffset } from '../../app/ops/offset.ts';

test('an offset is what the answers allow, and a slow answer spoils nothing', () => {
  const offset = createOffset();
  assert.equal(offset.ms, undefined);
  offset.narrow(-1_000, 3_000);
  assert.equal(offset.ms, 1_000);
  offset.narrow(1_500, 1_600);
  assert.equal(offset.ms, 1_500);
  offset.narrow(-5_000, 9_000);
  assert.equal(offset.ms, 1_500);
  offset.narrow(-60_100, -60_000);
  assert.equal(offset.ms, -60_000, 'the other clock was set');
});
