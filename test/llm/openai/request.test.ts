import assert from 'node:assert/strict';
import { test } from 'node:test';
import { chatBody } from '../../../app/llm/openai/request.ts';
import { question } from '../../contracts/chat-model.ts';

const settings = { models: { answer: 'a', summary: 's' }, tellPeopleApart: true, apiKey: 'key' };

function bodyFor(conversation: string, overrides: Partial<typeof settings> = {}) {
  const request = question({ conversation });
  return chatBody(request, request.messages, 100, new Set(), { ...settings, ...overrides });
}

test('tells people apart without telling who they are', () => {
  const ana = bodyFor('14155238886:15550100001');
  const bea = bodyFor('14155238886:15550100002');
  assert.equal(ana.prompt_cache_key, ana.safety_identifier);
  assert.notEqual(ana.prompt_cache_key, bea.prompt_cache_key);
  assert.equal(bodyFor('14155238886:15550100001').prompt_cache_key, ana.prompt_cache_key);
  assert.doesNotMatch(JSON.stringify(ana), /15550100001/);
  assert.ok((ana.safety_identifier?.length ?? 0) <= 64);
});

test('names people differently under another key, so that nobody can try all numbers', () => {
  assert.notEqual(
    bodyFor('14155238886:15550100001').prompt_cache_key,
    bodyFor('14155238886:15550100001', { apiKey: 'other' }).prompt_cache_key,
  );
});

test('tells other servers nothing about people', () => {
  const body = bodyFor('14155238886:15550100001', { tellPeopleApart: false });
  assert.equal('prompt_cache_key' in body || 'safety_identifier' in body, false);
});
