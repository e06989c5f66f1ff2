import assert from 'node:assert/strict';
import { test } from 'node:test';
import { channelFailure } from '../../../app/channels/twilio/failure.ts';

/** As Axios gives an error of Node's on. */
function broken(code: string, syscall: string): Error {
  const cause = Object.assign(new Error(`${syscall} ${code}`), { code, syscall });
  return Object.assign(new Error(cause.message, { cause }), { code });
}

test('a connection that was never made has carried nothing out', () => {
  for (const [code, syscall] of [
    ['ECONNREFUSED', 'connect'],
    ['ETIMEDOUT', 'connect'],
    ['ENOTFOUND', 'getaddrinfo'],
    ['EHOSTUNREACH', 'connect'],
  ] as const)
    assert.equal(channelFailure(broken(code, syscall), false).code, 'channel.unreachable', `${syscall} ${code}`);
});

test('one that breaks while it is used may have carried out what it was given', () => {
  for (const [code, syscall] of [
    ['ECONNRESET', 'read'],
    ['EPROTO', 'write'],
    ['EHOSTUNREACH', 'read'],
    ['ENETDOWN', 'read'],
  ] as const) {
    assert.equal(channelFailure(broken(code, syscall), false).code, 'channel.ambiguous', `${syscall} ${code}`);
    assert.equal(channelFailure(broken(code, syscall), true).code, 'channel.unreachable', 'what may be repeated');
  }
});
