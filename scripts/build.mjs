#!/usr/bin/env node
import { build, command, installDependencies } from './setup.mjs';

const HELP = `Usage: npm run build
Compiles the program to dist/, from scratch. npm start does it by itself when the sources have changed.
`;

await command(HELP, async () => {
  await installDependencies();
  await build({ force: true });
});
