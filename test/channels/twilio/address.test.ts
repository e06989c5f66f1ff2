import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fromAddress, toAddress } from '../../../app/channels/twilio/address.ts';

test('a number gets its plus, an id does not', () => {
  assert.equal(toAddress('15550100123'), 'whatsapp:+15550100123');
  assert.equal(toAddress('US.1A2B'), 'whatsapp:US.1A2B');
  assert.equal(toAddress('PT.ENT.123'), 'whatsapp:PT.ENT.123');
});

test('the way back takes off what was put on, and no letter', () => {
  for (const address of ['15550100123', 'US.1A2b3C', 'PT.ENT.9z'])
    assert.equal(fromAddress(toAddress(address)), address);
  assert.equal(fromAddress('+15550100123'), '15550100123');
  assert.equal(fromAddress('whatsapp: 15550100123'), '15550100123');
  assert.equal(fromAddress('15550100123'), '15550100123');
});
