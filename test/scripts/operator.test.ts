import assert from 'node:assert/strict';
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { eventually } from '../support/bot.ts';
import { freePort } from '../support/ports.ts';
import { argumentsFor } from '../support/program.ts';

const folder = mkdtempSync(join(tmpdir(), 'recado-'));
let bot: ChildProcess;
let environment: Record<string, string | undefined>;

before(async () => {
  const port = await freePort();
  environment = { PATH: process.env.PATH, PORT: String(port), DATA_DIR: folder, LOG_LEVEL: 'warn' };
  bot = spawn(process.execPath, argumentsFor('app/main.ts'), { cwd: folder, env: environment, stdio: 'ignore' });
  await eventually('the bot is ready', async () => {
    const ready = await fetch(`http://127.0.0.1:${port}/readyz`).catch(() => null);
    return ready?.status === 200;
  });
});

after(async () => {
  bot.kill('SIGTERM');
  if (bot.exitCode === null) await once(bot, 'exit');
  rmSync(folder, { recursive: true, force: true });
});

/** Runs a script as an operator does, beside a bot with nothing configured. */
async function run(script: string, ...args: string[]): Promise<{ code: number; output: string }> {
  return new Promise((resolve) => {
    const options = { cwd: folder, env: environment, timeout: 300_000 };
    execFile(process.execPath, [...argumentsFor(`scripts/${script}.ts`), ...args], options, (error, stdout, stderr) => {
      resolve({ code: error ? Number(error.code ?? 99) : 0, output: stdout + stderr });
    });
  });
}

describe('the scripts of an operator', () => {
  test('all say how they are used', async () => {
    for (const script of ['check-bot', 'check-media', 'check-scrub', 'debug-messages', 'dead-letters']) {
      const { code, output } = await run(script, '--help');
      assert.equal(code, 0, script);
      assert.match(output, new RegExp(`^Usage: npm run ${script}`));
    }
  });

  test('check-bot goes the whole way and passes', async () => {
    const { code, output } = await run('check-bot');
    assert.equal(code, 0, output);
    assert.equal(output.match(/^pass {2}/gm)?.length, 7, output);
  });

  test('check-bot says when nobody is there', async () => {
    const { code, output } = await run('check-bot', '--url', 'http://127.0.0.1:9');
    assert.equal(code, 1);
    assert.match(output, /Is the bot running\?/);
  });

  test('debug-messages shows the prompt of somebody we know, with its tokens and the leak check', async () => {
    const { code, output } = await run('debug-messages', '+15550100199', '--text', 'and now?');
    assert.equal(code, 0, output);
    assert.match(output, /--- system, \d+ tokens/);
    assert.match(output, /Zebulon[\s\S]*and now\?/);
    assert.match(output, /No Twilio URLs found in the final messages/);
    assert.equal((await run('debug-messages', '15550100177')).code, 1);
  });

  test('dead-letters has nothing to list after all went well', async () => {
    assert.deepEqual(await run('dead-letters', 'list'), { code: 0, output: 'No dead letters.\n' });
    assert.equal((await run('dead-letters', 'replay', '0-1-1')).code, 1);
  });

  test('check-scrub tells what it takes out by its exit code', async () => {
    const clean = await run('check-scrub', 'hello');
    const leak = await run('check-scrub', 'see https://api.twilio.com/x');
    assert.deepEqual([clean.code, leak.code], [0, 1]);
    assert.match(leak.output, /left: {2}see \[MEDIA_CONTENT\]\nfound: 1 \(url\)\npatterns: (\d+) of \1 hold/);
  });

  test('check-media asks for an account', async () => {
    const { code, output } = await run('check-media', 'https://example.com/x');
    assert.equal(code, 1);
    assert.match(output, /TWILIO_ACCOUNT_SID/);
  });
});
