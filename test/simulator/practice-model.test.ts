import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { ModelMessage } from '../../app/llm/model.ts';
import { createOpenAiModel, type OpenAiModel } from '../../app/llm/openai/chat.ts';
import type { Log } from '../../app/ops/logger.ts';
import { scrub } from '../../app/privacy/scrub.ts';
import { PRACTICE_MODELS, type PracticeModel, startPracticeModel } from '../../app/simulator/practice-model.ts';
import { rejectsWith } from '../contracts/chat-model.ts';

const SYSTEM = 'You are a friendly assistant.';
const START: ModelMessage[] = [{ role: 'system', content: scrub(SYSTEM) }];

describe('the practice model', () => {
  let practice: PracticeModel;
  let model: OpenAiModel;
  before(async () => {
    practice = await startPracticeModel();
    model = modelWith(practice.apiKey);
  });
  after(async () => {
    await model.close();
    await practice.close();
  });

  function modelWith(apiKey: string) {
    return createOpenAiModel({
      apiKey,
      baseUrl: practice.url,
      models: PRACTICE_MODELS,
      timeoutMs: 30_000,
      log: SILENT,
    });
  }

  async function ask(messages: ModelMessage[], purpose: 'answer' | 'summary' = 'answer', maxTokens = 400) {
    return (await model.answer({ messages, maxTokens, conversation: 'b:c', purpose })).text;
  }

  /** Holds a conversation; resolves with the answer to the last of the texts. */
  async function talk(texts: string[], notes = ''): Promise<string> {
    const system = notes ? `${SYSTEM}\n\nSummary of the conversation so far:\n${notes}` : SYSTEM;
    const messages: ModelMessage[] = [{ role: 'system', content: scrub(system) }];
    for (const text of texts) {
      messages.push({ role: 'user', content: scrub(text) });
      messages.push({ role: 'assistant', content: scrub(await ask(messages)) });
    }
    return String(messages.at(-1)?.content);
  }

  function summarise(notes: string, conversation: string, maxTokens?: number): Promise<string> {
    const text = `Summary of the conversation so far:\n${notes}\n\nThe conversation that follows it:\n${conversation}`;
    const messages: ModelMessage[] = [
      { role: 'system', content: scrub('You keep the notes of an assistant.') },
      { role: 'user', content: scrub(text) },
    ];
    return ask(messages, 'summary', maxTokens);
  }

  const conversations: { texts: string[]; answer: RegExp }[] = [
    { texts: ['my name is Ana', 'what is my name?'], answer: /you told me your name is Ana\./i },
    { texts: ['Hi, I am Ana', 'who am I?'], answer: /your name is Ana/ },
    { texts: ['My name is Ana and I live in Lisbon', 'Hello', 'Where do I live?'], answer: /you live in Lisbon/ },
    { texts: ['my name is Ana', 'call me Bea', "what's my name"], answer: /your name is Bea\.$/ },
    { texts: ['My favorite color is deep blue.', 'what is my favourite colour?'], answer: /deep blue/ },
    { texts: ["my dog's name is Rex", "do you know what my dog's name is?"], answer: /your dog's name is Rex/ },
    { texts: ['I like bread and butter', 'I like tea', 'what do I like?'], answer: /bread and butter.*tea/ },
    { texts: ['remember that the shop opens at nine', 'what do you remember?'], answer: /the shop opens at nine/ },
    { texts: ['one', 'two', 'how many messages did I write?'], answer: /3 messages/ },
    { texts: ['one', 'two', 'what did I say last?'], answer: /"two"/ },
    { texts: ['one', 'two', 'what was my first message?'], answer: /"one"/ },
    { texts: ['what is my name?'], answer: /you have not told me your name yet/i },
    { texts: ["I'm tired", 'what is my name?'], answer: /not told me/ },
    { texts: ['my name is Ana', 'good morning'], answer: /Hello again, Ana/ },
    {
      texts: ['my name is Ana\nI live in Lisbon\nwhat do you know about me?'],
      answer: /name is Ana; you live in Lisbon/,
    },
    {
      texts: ['What is the capital of Portugal?'],
      answer: /"What is the capital of Portugal\?".*configure a real model/,
    },
    {
      texts: ['my name is Ana', 'Hi! I need three lamps by Monday.'],
      answer: /Ana, you wrote: "Hi! I need three lamps/,
    },
    { texts: ['*bold* and ```code```'], answer: /"\\\*bold\\\* and \\`\\`\\`code/ },
    { texts: ['help'], answer: /OPENAI_API_KEY/ },
  ];
  for (const { texts, answer } of conversations)
    test(`talks: ${texts.join(' / ')}`, async () => {
      const said = await talk(texts);
      assert.match(said, answer);
      assert.match(said, /^\[practice model\] /);
    });

  test('does not take a question for something it was told', async () => {
    assert.match(await talk(['is my name Bea?', 'do you know if my name is Bea?', 'what is my name?']), /not told me/);
  });

  test('knows nothing that it is not shown', async () => {
    await talk(['my name is Ana']);
    assert.match(await talk(['what is my name?']), /not told me/);
  });

  test('says so when it gets a picture', async () => {
    const url = 'data:image/jpeg;base64,/9j/';
    const content = [{ kind: 'image' as const, url, detail: 'low' as const }];
    assert.match(await ask([{ role: 'user', content }]), /1 picture, but I cannot look/);
  });

  test('folds what was said into notes, and knows it from them', async () => {
    const first = await summarise(
      'Nothing yet.',
      'Person: Hello\nAssistant: Hello! My name is Practice and I live in a box.\nPerson: my name is Ana\nand I live in Lisbon\nAssistant: Nice to meet you',
    );
    const second = await summarise(
      first,
      'Person: I live in Porto now\nAssistant: ok\nPerson: remember the milk\nAssistant: ok',
    );
    assert.match(second, /Their name is Ana/);
    assert.doesNotMatch(second, /Lisbon|Practice|box/);
    assert.match(await talk(['what is my name?'], second), /your name is Ana/);
    assert.match(await talk(['where do I live?'], second), /you live in Porto/);
    assert.match(await talk(['what do you remember?'], second), /the milk/);
    assert.match(await talk(['how many messages?'], second), /1 message of yours.*4 older ones/);
    assert.match(await talk(['my name is Bea', 'what is my name?'], second), /your name is Bea\.$/);
  });

  test('keeps its notes within their limit, and the name to the end', async () => {
    const lines = Array.from({ length: 100 }, (_, i) => `Person: I like cake number ${i}`);
    const notes = await summarise('Nothing yet.', ['Person: my name is Ana', ...lines].join('\n'), 100);
    assert.ok(notes.length <= 400, String(notes.length));
    assert.match(notes, /Their name is Ana/);
    assert.match(notes, /cake number 99/);
    assert.match(notes, /101 of their messages/);
  });

  test('is there for a ping', async () => {
    await assert.doesNotReject(model.ping());
  });

  test('accepts no other key than its own', async () => {
    const stranger = modelWith('another-key');
    await rejectsWith('model.credentials', stranger.ping());
    await stranger.close();
  });

  test('says how large a picture is and which colours it has, when it is given eyes', async () => {
    const seeing = await startPracticeModel({ describePicture: async (bytes) => `a picture of ${bytes.length} bytes` });
    const url = `data:image/jpeg;base64,${Buffer.from('12345').toString('base64')}`;
    const parts = [
      { type: 'text', text: '[picture]' },
      { type: 'image_url', image_url: { url } },
    ];
    const messages = [{ role: 'user', content: parts }];
    const response = await fetch(`${seeing.url}/chat/completions`, {
      method: 'POST',
      headers: { authorization: `Bearer ${seeing.apiKey}` },
      body: JSON.stringify({ model: PRACTICE_MODELS.answer, messages }),
    });
    await seeing.close();
    assert.match(await response.text(), /I see a picture of 5 bytes\. I can tell size and colours, not what it shows/);
  });

  test('says how much speech it received, and does not pretend to understand it', async () => {
    const hearing = await startPracticeModel({ secondsOf: () => 3.21 });
    const form = new FormData();
    form.set('file', new File(['12345'], 'voice.ogg'));
    form.set('model', PRACTICE_MODELS.transcribe);
    const headers = { authorization: `Bearer ${hearing.apiKey}` };
    const answer = await fetch(`${hearing.url}/audio/transcriptions`, { method: 'POST', headers, body: form });
    const empty = await fetch(`${hearing.url}/audio/transcriptions`, { method: 'POST', headers, body: new FormData() });
    await hearing.close();
    const { text } = (await answer.json()) as { text: string }; // as the server under test writes it
    assert.match(text, /cannot understand speech\. It received 5 bytes of audio, 3\.2 seconds long\./);
    assert.equal(empty.status, 400);
    assert.match(await talk([text]), /Your voice note has arrived: 5 bytes of audio, 3\.2 seconds long\.$/);
  });

  test('writes as many characters as it is told', async () => {
    assert.equal(
      (await ask([...START, { role: 'user', content: scrub('Please write 3,000 characters.') }], 'answer', 5_000))
        .length,
      3_000,
    );
  });

  test('answers as slowly as it is told', async () => {
    const startedAt = performance.now();
    await talk(['answer in 1 second']);
    assert.ok(performance.now() - startedAt >= 990);
  });

  test('keeps the key it is given', async () => {
    const own = await startPracticeModel({ apiKey: 'chosen-key' });
    const response = await fetch(`${own.url}/models`, { headers: { authorization: 'Bearer chosen-key' } });
    const { data } = (await response.json()) as { data: { id: string }[] }; // as the server under test writes it
    await own.close();
    assert.deepEqual(
      data.map(({ id }) => id),
      ['practice', 'practice-summary', 'practice-analysis', 'practice-transcribe'],
    );
  });

  for (const body of ['{', '{}', '{"model":"practice","messages":[]}'])
    test(`refuses a request that is none: ${body}`, async () => {
      const headers = { authorization: `Bearer ${practice.apiKey}` };
      const response = await fetch(`${practice.url}/chat/completions`, { method: 'POST', headers, body });
      assert.equal(response.status, 400);
      assert.match(await response.text(), /"error":\{"message":"/);
    });
});

const SILENT: Log = { debug() {}, info() {}, warn() {}, error() {}, child: () => SILENT };
