/** What `npm start` runs: the program and its packages in few files. All other tests run it from its sources. */
import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { SourceMap } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { AUTH_TOKEN, type Doubles, eventually, settingsFor, startDoubles } from '../support/bot.ts';
import { freePort } from '../support/ports.ts';
import { deliverWebhook, textMessage } from '../support/webhook.ts';

const project = fileURLToPath(new URL('../..', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'recado-bundle-'));
const built = join(folder, 'dist/app');
let doubles: Doubles;

before(async () => {
  for (const name of ['package.json', 'tsconfig.json', 'vite.program.config.ts', 'app'])
    cpSync(join(project, name), join(folder, name), { recursive: true });
  symlinkSync(join(project, 'node_modules'), join(folder, 'node_modules'));
  const vite = join(project, 'node_modules/vite/bin/vite.js');
  execFileSync(process.execPath, [vite, 'build', '--logLevel=error', '-c', 'vite.program.config.ts'], { cwd: folder });
  for (const beside of ['memory/scripts', 'costs/prices.json'])
    cpSync(join(project, 'app', beside), join(built, beside), { recursive: true });
  doubles = await startDoubles();
});
after(async () => {
  await doubles?.stop();
  rmSync(folder, { recursive: true, force: true });
});

test('answers, with the archive inside it, the analysis and all that is loaded later', async (t) => {
  const port = await freePort();
  const { DATABASE_URL: _, ...settings } = settingsFor(doubles);
  const child = spawn(process.execPath, [join(built, 'main.js')], {
    cwd: folder,
    env: { ...settings, PATH: process.env.PATH, PORT: String(port), DATA_DIR: join(folder, 'data') },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let log = '';
  child.stdout.on('data', (chunk) => {
    log += chunk;
  });
  const exited = once(child, 'exit');
  t.after(() => child.kill('SIGKILL'));
  const url = `http://127.0.0.1:${port}`;
  await eventually('every part is ready', async () => {
    const answer = await fetch(`${url}/readyz`).catch(() => null);
    return answer?.status === 200 && (await answer.text()).includes('"status":"ready"');
  });
  const message = textMessage({ Body: 'Could you book a table for four people next Friday at eight?' });
  const { status, texts } = await deliverWebhook(`${url}/whatsapp`, AUTH_TOKEN, message);
  assert.deepEqual({ status, texts: texts.length }, { status: 200, texts: 1 }, log);
  await eventually('the message is analysed', () =>
    doubles.model.requests.some(({ chat }) => 'response_format' in chat),
  );
  child.kill('SIGTERM');
  assert.deepEqual(await exited, [0, null], log);
  // On a busy machine a store may be too slow for the first try: what was waited for above shows that the next one worked.
  const troubles = log.split('\n').filter((line) => line.includes('"level":"error"') && !line.includes('trying again'));
  assert.deepEqual(troubles, [], log);
});

test('leads from a line to its source', () => {
  const lines = readFileSync(join(built, 'main.js'), 'utf8').split('\n');
  const map = new SourceMap(JSON.parse(readFileSync(join(built, 'main.js.map'), 'utf8')));
  for (const [words, file] of [
    ['async function startStandIns(', 'app/wire/stand-ins.ts'],
    ['function createTurns(', 'app/conversation/turns.ts'],
  ] as const) {
    const line = lines.findIndex((text) => text.includes(words));
    const entry = map.findEntry(line, 10);
    assert.ok('originalSource' in entry, words);
    assert.ok(entry.originalSource.endsWith(file), entry.originalSource);
    assert.ok(readFileSync(join(project, file), 'utf8').split('\n')[entry.originalLine]?.includes(words));
  }
});
