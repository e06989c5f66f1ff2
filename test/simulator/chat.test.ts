import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, beforeEach, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import Router from '@koa/router';
import type { Context } from 'koa';
import twilio from 'twilio';
import { createServer as createKoa } from '../../app/http/server.ts';
import { createLogger } from '../../app/ops/logger.ts';
import { type Simulator, startSimulator } from '../../app/simulator/simulator.ts';
import { freePort } from '../support/ports.ts';

const CHAT = fileURLToPath(new URL('../../scripts/chat.ts', import.meta.url));
const TSX = import.meta.resolve('tsx');

/** `npm run chat` against a server that answers as the bot does, with the simulator inside or without. */
describe('a conversation in the terminal', () => {
  const log = createLogger({ level: 'error', format: 'json', write: () => {} });
  const received: Record<string, string>[] = [];
  let answer: (ctx: Context, fields: Record<string, string>) => void = () => {};
  let token: string;
  let simulator: Simulator;
  let origin: string;
  let folder: string;
  const closing: (() => Promise<void>)[] = [];

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'recado-chat-'));
    simulator = await startSimulator({
      webhookUrl: 'http://127.0.0.1:9/whatsapp',
      metaWebhookUrl: 'http://127.0.0.1:9/webhook',
      log,
    });
    origin = await serve([webhook(), simulator.router]);
  });
  beforeEach(() => {
    received.length = 0;
    token = 'simulator';
    answer = (ctx, { Body }) => twiml(ctx, `You wrote: ${Body}`);
  });
  after(async () => {
    await simulator.stop();
    await Promise.all(closing.map((close) => close()));
    await rm(folder, { recursive: true });
  });

  async function serve(routers: Router[]): Promise<string> {
    const server = createServer(createKoa({ routers, log, isStopping: () => false }).callback());
    await new Promise<void>((resolve) => server.listen(0, resolve));
    closing.push(() => {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(() => resolve()));
    });
    return `http://localhost:${(server.address() as AddressInfo).port}`; // a TCP server's address
  }

  function webhook(): Router {
    const router = new Router();
    router.get('/healthz', (ctx) => {
      ctx.body = { status: 'ok' };
    });
    return router.post('/whatsapp', (ctx) => {
      const fields = Object.fromEntries(new URLSearchParams(String(ctx.request.body)));
      received.push(fields);
      if (twilio.validateRequest(token, ctx.get('X-Twilio-Signature'), ctx.href, fields)) return answer(ctx, fields);
      ctx.status = 403;
      ctx.body = '';
    });
  }

  function twiml(ctx: Context, ...texts: string[]) {
    const response = new twilio.twiml.MessagingResponse();
    for (const text of texts) response.message(text);
    ctx.type = 'text/xml';
    ctx.body = response.toString();
  }

  async function send(to: string, Body: string) {
    const { accountSid, authToken, number, apiBaseUrl } = simulator.account;
    await fetch(`${apiBaseUrl}/2010-04-01/Accounts/${accountSid}/Messages.json`, {
      method: 'POST',
      headers: { authorization: `Basic ${Buffer.from(`${accountSid}:${authToken}`).toString('base64')}` },
      body: new URLSearchParams({ From: `whatsapp:+${number}`, To: to, Body }),
    });
  }

  async function chat(input: string, args: string[] = [], env: Record<string, string> = {}) {
    const child = spawn(process.execPath, ['--import', TSX, CHAT, '--url', origin, ...args], {
      cwd: folder,
      env: { PATH: process.env.PATH ?? '', ...env },
    });
    const output = { out: '', err: '' };
    child.stdout.on('data', (chunk) => {
      output.out += chunk;
    });
    child.stderr.on('data', (chunk) => {
      output.err += chunk;
    });
    child.stdin.end(input);
    const code = await new Promise((resolve) => child.once('close', resolve));
    return { code, ...output };
  }

  it('prints the answers to lines from a pipe, one after the other', async () => {
    const { code, out, err } = await chat('hello\n\n  two & three  \n', ['--name', 'Ana', '--from', '+44 7700 900123']);
    assert.deepEqual([code, out, err], [0, 'You wrote: hello\nYou wrote: two & three\n', '']);
    const [first] = received;
    assert.deepEqual([first?.ProfileName, first?.From], ['Ana', 'whatsapp:+447700900123']);
  });

  it('prints answers that come by the API, all parts, before it goes on', async () => {
    answer = (ctx, { Body, From }) => {
      twiml(ctx);
      setTimeout(async () => {
        await send(String(From), `${Body}: part 1`);
        await send(String(From), `${Body}: part 2`);
      }, 50);
    };
    const { code, out } = await chat('a\nb', ['--from', 'US.1A2B']);
    assert.deepEqual([code, out], [0, 'a: part 1\na: part 2\nb: part 1\nb: part 2\n']);
    assert.equal(received[0]?.From, 'whatsapp:US.1A2B');
  });

  it('keeps characters that would steer the terminal from it', async () => {
    answer = (ctx) => {
      ctx.type = 'text/xml';
      ctx.body = '<Response><Message>a&#27;[2Jb&#x202e;c\nd</Message></Response>';
    };
    assert.equal((await chat('x')).out, 'a[2Jbc\nd\n');
  });

  it('ends at /quit', async () => {
    const { code, out } = await chat('one\n/quit\ntwo\n');
    assert.deepEqual([code, out], [0, 'You wrote: one\n']);
  });

  it('says what to type when the bot is not running', async () => {
    const { code, err } = await chat('hello', ['--url', `http://localhost:${await freePort()}`]);
    assert.equal(code, 1);
    assert.match(err, /No bot answers at http:\/\/localhost:\d+\. Start it .*"npm start"/);
  });

  it('says which settings matter when the signature is refused', async () => {
    token = 'another';
    const { code, err } = await chat('hello\nagain');
    assert.equal(code, 1);
    assert.match(err, /403.*TWILIO_AUTH_TOKEN.*PUBLIC_URL/);
    assert.equal(received.length, 1);
  });

  it('explains a model that failed and a store that is down, and goes on', async () => {
    const statuses = [502, 503, 500];
    answer = (ctx) => {
      ctx.status = statuses.shift() ?? 200;
      ctx.type = 'text/xml';
      ctx.body = '<Response/>';
    };
    const { code, out, err } = await chat('1\n2\n3');
    assert.deepEqual([code, out], [1, '']);
    assert.match(err, /502.*\n.*503.*\n.*500/);
  });

  it('signs with the token and over the address of the settings', async () => {
    token = 'from-the-command-line';
    assert.equal((await chat('hello', ['--token', token])).code, 0);
    const { err } = await chat('hello', [], { PUBLIC_URL: 'https://bot.example.com/' });
    assert.match(err, /made over https:\/\/bot\.example\.com\/whatsapp/);
  });

  it('talks to a bot with a real account, as far as can be seen', async () => {
    const real = await serve([webhook()]);
    const missing = await chat('hello', ['--url', real]);
    assert.equal(missing.code, 1);
    assert.match(missing.err, /TWILIO_AUTH_TOKEN/);
    token = 'real-token';
    await writeFile(join(folder, '.env'), `TWILIO_AUTH_TOKEN=${token}\nTWILIO_WHATSAPP_NUMBER=whatsapp:+15550100999\n`);
    const { code, out } = await chat('hello', ['--url', real]);
    assert.deepEqual([code, out, received.at(-1)?.To], [0, 'You wrote: hello\n', 'whatsapp:+15550100999']);
    answer = (ctx) => twiml(ctx);
    assert.match((await chat('hello', ['--url', real])).err, /goes through Twilio/);
    await rm(join(folder, '.env'));
  });

  it('explains itself, and what is wrong with an option', async () => {
    const help = await chat('', ['--help']);
    assert.equal(help.code, 0);
    assert.match(help.out, /--from NUMBER/);
    for (const args of [
      ['--form', 'x'],
      ['--from', 'nobody'],
      ['--url', 'localhost:3002'],
    ]) {
      const { code, err } = await chat('', args);
      assert.equal(code, 1);
      assert.match(err, /^[^\n]+\n$/, 'one line, no stack trace');
    }
  });
});
