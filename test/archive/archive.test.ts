import { after, before, describe } from 'node:test';
import type { Database } from '../../app/archive/engine/database.ts';
import { contactsSuite } from './contacts.ts';
import { costsSuite } from './costs.ts';
import { ENGINES } from './engines.ts';
import { readingSuite } from './reading.ts';
import { recordingSuite } from './recording.ts';
import { spamSuite } from './spam.ts';
import { streamingSuite } from './streaming.ts';

for (const { name, open } of ENGINES) {
  describe(`the archive in ${name}`, () => {
    let opened: { database: Database; stop(): Promise<void> };
    before(async () => {
      opened = await open();
    });
    after(() => opened.stop());
    recordingSuite(() => opened.database);
    spamSuite(() => opened.database);
    contactsSuite(() => opened.database);
    readingSuite(() => opened.database);
    streamingSuite(() => opened.database);
    costsSuite(() => opened.database);
  });
}
