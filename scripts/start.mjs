#!/usr/bin/env node
import { build, command, ensureRedis, installDependencies } from './setup.mjs';

const HELP = `Usage: npm start
Runs the bot, after installing and building what is missing. Settings come from the environment and from .env:
every one, with its meaning, is in .env.example. Ctrl-C or SIGTERM stops in order, a second one leaves at once.
`;

await command(HELP, async () => {
  await installDependencies();
  await ensureRedis();
  await build();
  process.setSourceMapsEnabled(true);
  // In this process: signals and the exit code need no forwarding.
  process.argv[1] = 'dist/app/main.js';
  await import('../dist/app/main.js');
});
