/** What happens while the archive thinks about a contact; what it says then is in `one-person.test.ts`. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { after, before, test } from 'node:test';
import { lastUserText } from '../doubles/model.ts';
import { type Bot, type Doubles, startBot, startDoubles } from '../support/bot.ts';
import { ANA } from '../support/message.ts';

let doubles: Doubles;
let silent: Server;
const connections = new Set<Socket>();
let bot: Bot;

before(async () => {
  doubles = await startDoubles();
  silent = createServer((socket) =>
    connections.add(socket.on('error', () => {}).on('close', () => connections.delete(socket))),
  );
  await once(silent.listen(0, '127.0.0.1'), 'listening');
  // A TCP server has an address of this shape.
  const { port } = silent.address() as AddressInfo;
  bot = await startBot(doubles, { DATABASE_URL: `postgres://nobody@127.0.0.1:${port}/nothing` });
});

after(async () => {
  for (const socket of connections) socket.destroy();
  silent.close();
  await bot.stop();
  await doubles.stop();
});

test('the model is asked while the archive says nothing, and the answer goes out without its word', async () => {
  const hasGivenUp = () =>
    bot.logs.some((line) => line.includes('going on without its blocks, opt-outs and takeovers'));
  const givenUp: boolean[] = [];
  doubles.model.answer = async (request) => {
    givenUp.push(hasGivenUp());
    return `You said: ${lastUserText(request)}`;
  };
  const { texts } = await bot.tell(ANA, 'hello');
  assert.deepEqual(texts, ['You said: hello']);
  assert.deepEqual(givenUp, [false], 'it was asked before the archive was given up');
  assert.equal(hasGivenUp(), true);
});
