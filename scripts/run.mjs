#!/usr/bin/env node
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { command, installDependencies, Trouble } from './setup.mjs';

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
  if (isClone) {
    await installDependencies();
    const { register } = await import('tsx/esm/api');
    register();
  }
  const file = isClone ? source : built;
  process.argv = [process.execPath, file, ...args];
  await import(pathToFileURL(file).href);
});
