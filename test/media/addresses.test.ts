import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { isPublicAddress } from '../../app/media/addresses.ts';

const NOT_PUBLIC = {
  'this machine': ['127.0.0.1', '127.255.255.254', '::1'],
  'no address': ['0.0.0.0', '0.1.2.3', '::'],
  'a private network': ['10.0.0.1', '172.16.0.1', '172.31.255.255', '192.168.1.1', 'fc00::1', 'fd12:3456::1'],
  'link-local': ['169.254.0.1', 'fe80::1', 'fe80::1%eth0', 'fec0::1'],
  'cloud metadata': ['169.254.169.254', 'fd00:ec2::254', '100.100.100.200', '192.0.0.192', '168.63.129.16'],
  "behind a carrier's NAT": ['100.64.0.1', '100.127.255.255'],
  multicast: ['224.0.0.1', '239.255.255.255', 'ff02::1'],
  'broadcast and reserved': ['255.255.255.255', '240.0.0.1', '198.18.0.1', '100::1', '5f00::1'],
  documentation: ['192.0.2.1', '198.51.100.1', '203.0.113.1', '2001:db8::1', '3fff::1'],
  'IPv4-mapped': ['::ffff:10.0.0.1', '::ffff:a00:1', '::ffff:169.254.169.254', '::ffff:8.8.8.8'],
  'IPv4-compatible': ['::10.0.0.1', '::127.0.0.1'],
  'IPv4-translated': ['::ffff:0:127.0.0.1'],
  'NAT64 of a private address': ['64:ff9b::10.0.0.1', '64:ff9b::a9fe:a9fe', '64:ff9b::127.0.0.1', '64:ff9b:1::1'],
  '6to4': ['2002:7f00:1::', '2002:a00:1::1', '2002:808:808::1'],
  Teredo: ['2001::1', '2001:0:4136:e378:8000:63bf:3fff:fdd2'],
  'no address at all': ['localhost', '', '127.1', '0x7f.0.0.1', '2130706433', '[::1]', '8.8.8.8:80'],
};

const PUBLIC = ['8.8.8.8', '1.1.1.1', '172.32.0.1', '172.15.255.255', '100.63.255.255', '100.128.0.1', '169.253.1.1'];
const PUBLIC_V6 = ['2606:4700:4700::1111', '2a00:1450:4001::1', '2400:cb00::1', '64:ff9b::8.8.8.8'];

describe('isPublicAddress', () => {
  for (const [name, addresses] of Object.entries(NOT_PUBLIC)) {
    test(`is false for ${name}`, () => {
      assert.deepEqual(addresses.filter(isPublicAddress), []);
    });
  }

  test('is true for the rest of the internet', () => {
    const all = [...PUBLIC, ...PUBLIC_V6];
    assert.deepEqual(all.filter(isPublicAddress), all);
  });
});
