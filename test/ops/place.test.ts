import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { test } from 'node:test';
import { hasEnded, type Place, placeHere } from '../../app/ops/place.ts';

const here = placeHere() as Place; // the tests run where there is /proc

test('this process has not ended, nor one that runs beside it', () => {
  assert.equal(hasEnded(here, here), false);
  assert.equal(hasEnded({ ...here, pid: 1, startedAt: '' }, here), false, 'of another user, maybe');
});

test('one whose process id is another process by now has ended', () => {
  assert.equal(hasEnded({ ...here, startedAt: `${here.startedAt}0` }, here), true);
});

test('one whose process id is not in use has ended', async () => {
  const child = spawn(process.execPath, ['-e', ''], { stdio: 'ignore' });
  await once(child, 'exit');
  assert.ok(child.pid);
  assert.equal(hasEnded({ ...here, pid: child.pid }, here), true);
});

test('of another machine, boot or namespace nothing is known', () => {
  assert.equal(hasEnded({ ...here, machine: 'another', startedAt: '0' }, here), false);
  assert.equal(hasEnded(here, null), false);
});
