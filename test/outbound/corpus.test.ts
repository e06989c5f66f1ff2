/** Answers as models write them, in the languages people ask in: `<name>.md` becomes `<name>.txt`. Each pair was read by eye. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { formatForWhatsApp } from '../../app/outbound/format.ts';
import { scrub } from '../../app/privacy/scrub.ts';

const folder = new URL('../fixtures/format/', import.meta.url);
const names = readdirSync(folder).flatMap((file) => /^(.+)\.md$/.exec(file)?.[1] ?? []);
const read = (file: string) => readFileSync(new URL(file, folder), 'utf8').trimEnd();

test('the corpus has ten languages or more', () => assert.ok(names.length >= 10, `${names}`));

for (const name of names) {
  test(`an answer in ${name}`, () => {
    assert.equal(formatForWhatsApp(scrub(read(`${name}.md`))), read(`${name}.txt`));
  });
}
