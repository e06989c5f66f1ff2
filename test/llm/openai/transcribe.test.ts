import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, test } from 'node:test';
import {
  createTranscriber,
  type Transcriber,
  type TranscriberOptions,
  type Transcript,
} from '../../../app/llm/openai/transcribe.ts';
import { readVoice } from '../../../app/media/audio.ts';
import { createLogger } from '../../../app/ops/logger.ts';
import { type ModelDouble, type ModelFault, startModelDouble } from '../../doubles/model.ts';

const BYTES = readFileSync(new URL('../../fixtures/media/voice.ogg', import.meta.url));
const VOICE = { filename: 'voice.ogg', contentType: 'audio/ogg', bytes: BYTES };
const INVALID = (message: string): ModelFault => ({ kind: 'status', status: 400, code: 'invalid_value', message });

describe('a transcriber', () => {
  let double: ModelDouble;
  let lines: string[];
  let waits: number[];
  let transcribers: Transcriber[];

  beforeEach(async () => {
    double = await startModelDouble({ apiKey: 'sk-made-up' });
    [lines, waits, transcribers] = [[], [], []];
  });

  afterEach(async () => {
    await Promise.all(transcribers.map((transcriber) => transcriber.close()));
    await double.close();
  });

  function build(overrides: Partial<TranscriberOptions> = {}): Transcriber {
    const transcriber = createTranscriber({
      apiKey: 'sk-made-up',
      baseUrl: double.url,
      model: 'gpt-transcribe',
      log: createLogger({ level: 'debug', format: 'json', write: (line) => lines.push(line) }),
      clock: {
        now: () => performance.now(),
        sleep: async (ms) => {
          waits.push(ms);
        },
      },
      ...overrides,
    });
    transcribers.push(transcriber);
    return transcriber;
  }

  test('hears a real voice note, under a name that the API knows', async () => {
    const said = await build().transcribe(await readVoice(BYTES));
    assert.equal(said.text, 'Hello from a voice note.');
    const [request] = double.requests;
    assert.equal(request?.path, '/v1/audio/transcriptions');
    assert.deepEqual(
      [request?.upload.filename, request?.upload.contentType, request?.upload.fields],
      ['voice.ogg', 'audio/ogg', { model: 'gpt-transcribe', response_format: 'json' }],
    );
    assert.deepEqual(request?.upload.bytes, BYTES);
  });

  test('shows the recording to a chat model that hears, when it is given an instruction', async () => {
    const usage = { prompt_tokens: 250, completion_tokens: 6, total_tokens: 256 };
    const body = { choices: [{ message: { role: 'assistant', content: ' Hello from a voice note. ' } }], usage };
    double.faults.push({ kind: 'body', body: JSON.stringify(body), contentType: 'application/json' });
    const said = await build({ model: 'gemini-3.8-flash', instruction: 'Write it down.' }).transcribe(VOICE);
    assert.deepEqual(said, {
      text: 'Hello from a voice note.',
      tokens: { prompt: 250, completion: 6, cached: 0 },
      seconds: null,
    });
    const [request] = double.requests;
    assert.equal(request?.path, '/v1/chat/completions');
    const audio = { data: BYTES.toString('base64'), format: 'ogg' };
    assert.deepEqual(request?.chat.messages, [
      { role: 'system', content: 'Write it down.' },
      { role: 'user', content: [{ type: 'input_audio', input_audio: audio }] },
    ]);
  });

  test('has heard nothing when such a model says so, and cannot tell when it writes nothing', async () => {
    double.queue.push('[silence]');
    const hearing = build({ instruction: 'Write it down.' });
    assert.equal((await hearing.transcribe(VOICE)).text, '');
    double.faults.push({ kind: 'empty' });
    await assert.rejects(hearing.transcribe(VOICE), { code: 'model.empty' });
    double.queue.push('<think>I hear a voice.</think>Hello');
    assert.equal((await hearing.transcribe(VOICE)).text, 'Hello');
  });

  test('does not take half of what was said for all of it', async () => {
    const body = { choices: [{ message: { role: 'assistant', content: 'Hello from' }, finish_reason: 'length' }] };
    double.faults.push({ kind: 'body', body: JSON.stringify(body), contentType: 'application/json' });
    await assert.rejects(build({ instruction: 'Write it down.' }).transcribe(VOICE), { code: 'media.too_large' });
  });

  test('says the language only when it is told one', async () => {
    await build({ language: 'es', model: 'whisper-1' }).transcribe(VOICE);
    assert.deepEqual(double.requests[0]?.upload.fields, {
      model: 'whisper-1',
      response_format: 'json',
      language: 'es',
    });
  });

  const usages: [given: object | undefined, tokens: Transcript['tokens'], seconds: number | null][] = [
    [undefined, null, null],
    [{ type: 'tokens', input_tokens: 14, output_tokens: 45 }, { prompt: 14, completion: 45, cached: 0 }, null],
    [{ type: 'duration', seconds: 27 }, null, 27],
    [{ type: 'tokens', input_tokens: 'many' }, null, null],
  ];
  for (const [usage, tokens, seconds] of usages) {
    test(`counts what the server counted: ${JSON.stringify(usage)}`, async () => {
      double.faults.push({ kind: 'body', body: JSON.stringify({ text: 'Hola.', usage }) });
      assert.deepEqual(await build().transcribe(VOICE), { text: 'Hola.', tokens, seconds });
    });
  }

  for (const nothing of ['', '  \n', '.', '…', '[BLANK_AUDIO]', '(silence)']) {
    test(`hears nothing in ${JSON.stringify(nothing)}`, async () => {
      double.transcript = nothing;
      assert.equal((await build().transcribe(VOICE)).text, '');
    });
  }

  test('takes the text of servers that do not wrap it', async () => {
    double.faults.push({ kind: 'body', body: ' Hola.\n', contentType: 'text/plain' });
    assert.equal((await build().transcribe(VOICE)).text, 'Hola.');
  });

  test('scrubs what was said, and logs none of it', async () => {
    double.transcript = `see https://api.twilio.com/2010-04-01/Accounts/AC${'0'.repeat(32)} please`;
    assert.equal((await build().transcribe(VOICE)).text, 'see [MEDIA_CONTENT] please');
    assert.doesNotMatch(lines.join('\n'), /please|twilio/);
  });

  test('hears nothing in a recording that is too short for the server', async () => {
    const message = 'audio duration 0.05 seconds is shorter than 0.1 seconds which is the minimum for this model';
    double.faults.push(INVALID(message));
    assert.equal((await build().transcribe(VOICE)).text, '');
  });

  const verdicts: [string, ModelFault][] = [
    ['media.unreadable', INVALID('Audio file might be corrupted or unsupported')],
    ['media.unreadable', INVALID("Invalid file format. Supported formats: ['flac', 'm4a', 'mp3']")],
    ['media.unreadable', { kind: 'status', status: 415 }],
    [
      'media.too_large',
      INVALID('audio duration 1830.5 seconds is longer than 1400 seconds which is the maximum for this model'),
    ],
    ['media.too_large', { kind: 'status', status: 413, message: 'Maximum content size limit (26214400) exceeded' }],
    ['model.request', { kind: 'status', status: 404, code: 'model_not_found', message: 'The model does not exist' }],
    ['model.request', INVALID('Invalid model')],
    ['model.quota', { kind: 'quota' }],
    ['model.request', { kind: 'body', body: '{"nothing": 1}' }],
  ];
  for (const [code, fault] of verdicts) {
    test(`calls it ${code} when the server says: ${JSON.stringify(fault).slice(0, 90)}`, async () => {
      double.faults.push(fault);
      await assert.rejects(build().transcribe(VOICE), { code });
      assert.equal(double.requests.length, 1);
    });
  }

  test('names its own settings when the key is refused', async () => {
    await assert.rejects(build({ apiKey: 'sk-wrong' }).transcribe(VOICE), {
      code: 'model.credentials',
      message: /OPENAI_TRANSCRIBE_MODEL, OPENAI_TRANSCRIBE_BASE_URL.*OPENAI_API_KEY/,
    });
  });

  test('tries again what is worth it, with the whole recording', async () => {
    double.faults.push({ kind: 'status', status: 503 }, { kind: 'reset' });
    assert.equal((await build().transcribe(VOICE)).text, 'Hello from a voice note.');
    assert.equal(double.requests.length, 3);
    assert.ok(double.requests.every(({ upload }) => upload.bytes.equals(BYTES)));
    assert.equal(waits.length, 2);
  });

  test('gives up at its own deadline', async () => {
    double.faults.push({ kind: 'hang' });
    await assert.rejects(build({ timeoutMs: 60 }).transcribe(VOICE), { code: 'model.timeout' });
  });

  test('gives up with the caller, whose reason it gives', async () => {
    double.faults.push({ kind: 'hang' });
    const stop = new AbortController();
    const reason = new Error('the turn was given up');
    const listening = build().transcribe(VOICE, stop.signal);
    stop.abort(reason);
    await assert.rejects(listening, reason);
  });
});
