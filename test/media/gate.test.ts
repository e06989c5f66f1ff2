import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { createGate } from '../../app/media/gate.ts';

/** Work that ends when it is told to. */
function createWork() {
  const running: string[] = [];
  const ends = new Map<string, () => void>();
  return {
    running,
    named: (name: string) => () => {
      running.push(name);
      return new Promise<void>((resolve) => {
        ends.set(name, () => {
          running.splice(running.indexOf(name), 1);
          resolve();
        });
      });
    },
    async end(name: string) {
      ends.get(name)?.();
      await new Promise((resolve) => setImmediate(resolve));
    },
  };
}

describe('a gate', () => {
  test('lets so many through as it has places, in their order', async () => {
    const work = createWork();
    const gate = createGate(2);
    const all = ['a', 'b', 'c', 'd'].map((name) => gate.run(1, work.named(name)));
    await new Promise((resolve) => setImmediate(resolve));
    assert.deepEqual(work.running, ['a', 'b']);
    await work.end('a');
    assert.deepEqual(work.running, ['b', 'c']);
    for (const name of ['b', 'c', 'd']) await work.end(name);
    await Promise.all(all);
  });

  test('lets heavy work through alone, and nobody passes it', async () => {
    const work = createWork();
    const gate = createGate(2);
    const all = [gate.run(1, work.named('a')), gate.run(9, work.named('heavy')), gate.run(1, work.named('b'))];
    await new Promise((resolve) => setImmediate(resolve));
    assert.deepEqual(work.running, ['a']);
    await work.end('a');
    assert.deepEqual(work.running, ['heavy']);
    await work.end('heavy');
    assert.deepEqual(work.running, ['b']);
    await work.end('b');
    await Promise.all(all);
  });

  test('gives the place back when the work fails', async () => {
    const gate = createGate(1);
    await assert.rejects(
      gate.run(1, () => Promise.reject(new Error('no'))),
      /no/,
    );
    assert.equal(await gate.run(1, async () => 'next'), 'next');
  });
});
