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
  for (const signal of ['SIGINT', 'SIGTERM']) countOnce(signal);
  // In this very process: signals reach it and its exit code gets out without anybody passing them on.
  process.argv[1] = 'dist/app/main.js';
  await import('../dist/app/main.js');
});

/** How close two signals are one, ms. A person who means it a second time takes longer. */
const ONE_PRESS_MS = 300;

/** Ctrl-C under npm comes twice: the terminal sends it to all, and npm passes it on. The second would mean "leave at once". */
function countOnce(signal) {
  const emit = process.emit;
  let last = Number.NEGATIVE_INFINITY;
  process.emit = (event, ...args) => {
    if (event !== signal) return emit.call(process, event, ...args);
    const now = performance.now();
    const isEcho = now - last < ONE_PRESS_MS;
    last = now;
    return isEcho || emit.call(process, event, ...args);
  };
}
