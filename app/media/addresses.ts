/** Which IP addresses are public, and which belong to private networks. */
import { BlockList, isIP } from 'node:net';

/**
 * May we connect to an address from an untrusted source? False for everything that is not clearly public: this machine,
 * private networks, link-local (a cloud's metadata), shared, reserved and multicast ranges, and IPv6 addresses that carry
 * an IPv4 address inside, but for NAT64 to a public one (the way out of networks that have IPv6 alone).
 * @param address an IPv4 or IPv6 address; anything else is not public
 */
export function isPublicAddress(address: string): boolean {
  switch (isIP(address)) {
    case 4:
      return !NOT_PUBLIC_V4.check(address, 'ipv4');
    case 6:
      // A zone (`fe80::1%eth0`) comes with link-local addresses only, and the list below cannot read it.
      return !address.includes('%') && GLOBAL_V6.check(address, 'ipv6') && !NOT_PUBLIC_V6.check(address, 'ipv6');
    default:
      return false;
  }
}

/** https://www.iana.org/assignments/iana-ipv4-special-registry, and multicast. */
const SPECIAL_V4 = [
  '0.0.0.0/8', // this network
  '10.0.0.0/8', // private
  '100.64.0.0/10', // behind a carrier's NAT; Alibaba's metadata
  '127.0.0.0/8', // this machine
  '169.254.0.0/16', // link-local; the metadata of AWS, Azure, Google
  '172.16.0.0/12', // private
  '192.0.0.0/24', // protocol assignments; Oracle's metadata
  '192.0.2.0/24', // documentation
  '192.88.99.0/24', // once 6to4 relays
  '192.168.0.0/16', // private
  '198.18.0.0/15', // benchmarks
  '198.51.100.0/24', // documentation
  '203.0.113.0/24', // documentation
  '224.0.0.0/4', // multicast
  '240.0.0.0/4', // reserved, broadcast
  '168.63.129.16/32', // looks public, but is Azure's own host: https://learn.microsoft.com/azure/virtual-network/what-is-ip-address-168-63-129-16
];

/** What is handed out to networks, and NAT64. All else (loopback, private, link-local, mapped, multicast) is not in here. */
const ASSIGNED_V6 = ['2000::/3', '64:ff9b::/96'];

/** https://www.iana.org/assignments/iana-ipv6-special-registry, as far as it lies within the above. */
const SPECIAL_V6 = [
  '2001::/23', // protocol assignments, Teredo among them
  '2001:db8::/32', // documentation
  '2002::/16', // 6to4
  '3fff::/20', // documentation
  ...SPECIAL_V4.map((subnet) => {
    const [address, bits] = subnet.split('/');
    return `64:ff9b::${address}/${96 + Number(bits)}`;
  }),
];

const NOT_PUBLIC_V4 = listOf(SPECIAL_V4, 'ipv4');
const GLOBAL_V6 = listOf(ASSIGNED_V6, 'ipv6');
const NOT_PUBLIC_V6 = listOf(SPECIAL_V6, 'ipv6');

function listOf(subnets: string[], family: 'ipv4' | 'ipv6'): BlockList {
  const list = new BlockList();
  for (const subnet of subnets) {
    const [address = '', bits] = subnet.split('/');
    list.addSubnet(address, Number(bits), family);
  }
  return list;
}
