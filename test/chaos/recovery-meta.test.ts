/** The same as `recovery.test.ts` over a number on Meta's Cloud API. Left to the long version: Meta cannot be asked what it has sent, and that takes time. */
import { test } from 'node:test';
import { isLong } from './support/size.ts';

process.env.CHAOS_PROVIDER = 'meta';
if (isLong) await import('./recovery.test.ts');
else test('recovery over Meta', { skip: 'it is part of `npm run chaos`' }, () => {});
