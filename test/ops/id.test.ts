import assert from 'node:assert/strict';
import { test } from 'node:test';
import { newId } from '../../app/ops/id.ts';
import { redactText } from '../../app/privacy/redact.ts';

test('ids are letters, all different, and pass the redaction of the log as they are', () => {
  const ids = Array.from({ length: 10_000 }, newId);
  assert.equal(new Set(ids).size, ids.length);
  for (const id of ids) {
    assert.match(id, /^[a-zA-F]{18}$/);
    assert.equal(redactText(id), id);
  }
});
