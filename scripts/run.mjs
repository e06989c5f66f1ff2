#!/usr/bin/env node
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { command, dependenciesAreThere, installDependencies, Trouble } from './setup.mjs';

const HELP = `Usage: node scripts/run.mjs scripts/NAME [--] [arguments]
Runs one of the scripts: from its source in a clone, as it was built in a container.
`;

await command(HELP, async ([script, ...args]) => {
  if (!script) throw new Trouble(HELP);
  if (args[0] === '--') args.shift();
  const source = resolve(`${script}.ts`);
  const built = resolve('dist', `${script}.js`);
  const isClone = existsSync(source);
  if (!isClone && !existsSync(built)) throw new Trouble(`There is no ${script}.ts here, and no dist/${script}.js.`);
  const file = isClone ? source : built;
  process.argv = [process.execPath, file, ...args];
  if (isClone) {
    if (await runsBare(file)) return;
    await installDependencies();
    const { register } = await import('tsx/esm/api');
    register();
  }
  await import(pathToFileURL(file).href);
});

/** Runs it without installing anything, if it imports no package (`check-scrub`) and this Node reads TypeScript (22.18 and newer). */
async function runsBare(file) {
  if (!process.features.typescript || dependenciesAreThere()) return false;
  try {
    await import(pathToFileURL(file).href);
    return true;
  } catch (error) {
    if (error.code === 'ERR_MODULE_NOT_FOUND') return false; // before anything of it has run
    throw error;
  }
}
