import assert from 'node:assert/strict';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, describe, it } from 'node:test';
import { createServer as createKoa } from '../../app/http/server.ts';
import { createLogger } from '../../app/ops/logger.ts';
import { newInboundSid } from '../../app/simulator/account.ts';
import { type Listening, listen } from '../../app/simulator/listen.ts';
import { type Simulator, startSimulator } from '../../app/simulator/simulator.ts';
import type { PhoneEvent } from '../../app/simulator/stream.ts';

const ANA = '15550100123';
const BO = 'US.1A2B3C';
/** Nothing is sent to them: what becomes of a message is told for a second after it. */
const CLEO = '15550100130';
const DAN = 'US.4D5E6F';

describe('the simulator', () => {
  const log = createLogger({ level: 'error', format: 'json', write: () => {} });
  let simulator: Simulator;
  let server: Server;
  let origin: string;

  before(async () => {
    simulator = await startSimulator({
      webhookUrl: 'http://127.0.0.1:9/whatsapp',
      metaWebhookUrl: 'http://127.0.0.1:9/webhook',
      log,
    });
    const koa = createKoa({ routers: [simulator.router], log, isStopping: () => false });
    server = createServer(koa.callback());
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`; // a TCP server's address
  });
  after(async () => {
    await simulator.stop();
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });

  async function callApi(path: string, form: Record<string, string>) {
    const { accountSid, authToken, apiBaseUrl } = simulator.account;
    const response = await fetch(apiBaseUrl + path, {
      method: 'POST',
      headers: { authorization: `Basic ${Buffer.from(`${accountSid}:${authToken}`).toString('base64')}` },
      body: new URLSearchParams(form),
    });
    assert.ok(response.ok, `${path} answered ${response.status}`);
  }
  function send(contact: string, Body: string) {
    const { accountSid, number } = simulator.account;
    const To = /^\d/.test(contact) ? `whatsapp:+${contact}` : `whatsapp:${contact}`;
    return callApi(`/2010-04-01/Accounts/${accountSid}/Messages.json`, { From: `whatsapp:+${number}`, To, Body });
  }
  const type = (messageId: string) => callApi('/v2/Indicators/Typing.json', { messageId, channel: 'whatsapp' });

  async function open(contact: string, lastId?: string): Promise<Listening> {
    const listening = await listen(origin, contact, lastId);
    assert.ok(listening);
    return listening;
  }

  it('tells a phone what goes out to it, and nothing that goes to others', async () => {
    const [ana, bo] = await Promise.all([open(`whatsapp:+${ANA}`), open(BO)]);
    await send(ANA, 'for Ana\nin two lines');
    await send(BO, 'for Bo');
    assert.deepEqual(await texts(ana, 1), ['for Ana\nin two lines']);
    assert.deepEqual(await texts(bo, 1), ['for Bo']);
  });

  it('shows typing on the phone that the answered message was written on', async () => {
    const [cleo, dan] = await Promise.all([open(CLEO), open(DAN)]);
    const sid = newInboundSid(DAN);
    await type(newInboundSid(CLEO));
    await type(sid);
    const [forDan] = await take(dan, 1);
    assert.deepEqual([forDan?.type, forDan?.sid], ['typing', sid]);
    const [forCleo] = await take(cleo, 1);
    assert.deepEqual([forCleo?.type, forCleo?.sid === sid], ['typing', false]);
  });

  it('follows a message until it is read', async () => {
    const phone = await open('15550100140');
    await send('15550100140', 'hello');
    const events = await take(phone, 4);
    assert.deepEqual(
      events.map((event) => (event.type === 'status' ? event.state : event.type)),
      ['message', 'sent', 'delivered', 'read'],
    );
  });

  it('gives a phone that comes back what it missed', async () => {
    const first = await open('15550100150');
    await send('15550100150', 'before');
    assert.deepEqual(await texts(first, 1), ['before']);
    await new Promise((resolve) => setTimeout(resolve, 2)); // so that the two have different times
    await send('15550100150', 'while away');
    const second = await open('15550100150', first.lastId);
    assert.deepEqual(await texts(second, 1), ['while away']);
  });

  it('asks whose phone it is', async () => {
    for (const query of ['', '?contact=', '?contact=%2B', '?contact=1&contact=2']) {
      assert.equal((await fetch(`${origin}/simulator/stream${query}`)).status, 400);
    }
  });

  it('switches a bounded number of phones on, and makes room when one goes', async () => {
    const switches = Array.from({ length: 101 }, () => new AbortController());
    const url = `${origin}/simulator/stream?contact=15550100160`;
    const responses = await Promise.all(switches.map(({ signal }) => fetch(url, { signal })));
    const refused = responses.filter(({ status }) => status === 503).length;
    assert.ok(refused >= 1, 'one too many');
    for (const controller of switches) controller.abort();
    let status = 503;
    while (status === 503) {
      const response = await fetch(url);
      status = response.status;
      await response.body?.cancel();
    }
    assert.equal(status, 200);
  });

  it('ends the streams, so that the server can close', async () => {
    const cleo = await open(CLEO);
    simulator.endStreams();
    assert.deepEqual(await take(cleo, Number.POSITIVE_INFINITY), []);
    assert.equal((await fetch(`${origin}/simulator/stream?contact=${CLEO}`)).status, 503);
  });
});

/** The next events, as many as wanted or until the stream ends. Leaves the stream. */
async function take({ events }: Listening, count: number): Promise<PhoneEvent[]> {
  const taken: PhoneEvent[] = [];
  for await (const event of events) {
    taken.push(event);
    if (taken.length >= count) break;
  }
  return taken;
}

async function texts(listening: Listening, count: number): Promise<string[]> {
  const events = await take(listening, count);
  return events.map((event) => (event.type === 'message' ? event.text : event.type));
}
