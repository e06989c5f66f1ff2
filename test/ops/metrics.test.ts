import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import Koa from 'koa';
import { createMetrics, type Metrics } from '../../app/ops/metrics.ts';

/** What `/metrics` says, without its comments. */
async function page(metrics: Metrics): Promise<string[]> {
  const server = new Koa().use(metrics.router.routes()).listen(0, '127.0.0.1');
  await once(server, 'listening');
  // A TCP server has an address of this shape.
  const { port } = server.address() as AddressInfo;
  try {
    const answer = await fetch(`http://127.0.0.1:${port}/metrics`);
    assert.equal(answer.status, 200);
    assert.match(answer.headers.get('content-type') ?? '', /^text\/plain; version=0\.0\.4/);
    return (await answer.text()).split('\n').filter((line) => line.startsWith('recado_'));
  } finally {
    server.closeAllConnections();
    server.close();
  }
}

test('what the parts report stands on the page, times in seconds', async () => {
  const metrics = createMetrics();
  metrics.messageReceived('text', 'accepted');
  metrics.turnEnded('answer', 'twiml');
  metrics.stageTook('model', 1_500);
  metrics.mediaRead('image', 'media.gone', 250);
  metrics.tokensUsed('answer', { prompt: 10, completion: 3, cached: 5 });
  metrics.scrubbed('prompt', 2);
  const lines = await page(metrics);
  for (const expected of [
    'recado_messages_received_total{kind="text",outcome="accepted"} 1',
    'recado_turns_total{outcome="answer",via="twiml"} 1',
    'recado_turn_stage_seconds_sum{stage="model"} 1.5',
    'recado_media_read_seconds_sum{kind="image",outcome="media.gone"} 0.25',
    'recado_model_tokens_total{purpose="answer",kind="cached"} 5',
    'recado_scrubbed_total{where="prompt"} 2',
  ])
    assert.ok(lines.includes(expected), `${expected} is missing in\n${lines.join('\n')}`);
});

test('a figure that cannot be read takes no other with it', async () => {
  const metrics = createMetrics();
  metrics.gauge('known', 'A figure', () => 7);
  metrics.gauge('away', 'A figure of a part that is away', () => Promise.reject(new Error('away')));
  const lines = await page(metrics);
  assert.ok(lines.includes('recado_known 7'));
  assert.ok(lines.includes('recado_away Nan'), lines.filter((line) => line.includes('away')).join());
});
