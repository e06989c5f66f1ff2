import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { createGate, type Gate } from '../../app/ops/gate.ts';

/** Who is inside, by name, and how they leave. */
function createGuests(gate: Gate) {
  const inside = new Map<string, () => void>();
  const settled = () => new Promise((resolve) => setImmediate(resolve));
  return {
    inside: () => [...inside.keys()],
    async come(name: string, weight = 1) {
      gate.enter(weight).then((leave) => inside.set(name, leave));
      await settled();
    },
    async leave(name: string) {
      inside.get(name)?.();
      inside.delete(name);
      await settled();
    },
  };
}

describe('a gate', () => {
  test('lets so many through as it has places, in their order', async () => {
    const guests = createGuests(createGate(2));
    for (const name of ['a', 'b', 'c', 'd']) await guests.come(name);
    assert.deepEqual(guests.inside(), ['a', 'b']);
    await guests.leave('a');
    assert.deepEqual(guests.inside(), ['b', 'c']);
    await guests.leave('b');
    await guests.leave('c');
    assert.deepEqual(guests.inside(), ['d']);
  });

  test('lets the heavy through alone, and nobody passes them', async () => {
    const guests = createGuests(createGate(2));
    await guests.come('a');
    await guests.come('heavy', 9);
    await guests.come('b');
    assert.deepEqual(guests.inside(), ['a']);
    await guests.leave('a');
    assert.deepEqual(guests.inside(), ['heavy']);
    await guests.leave('heavy');
    assert.deepEqual(guests.inside(), ['b']);
  });
});
