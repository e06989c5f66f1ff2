import assert from 'node:assert/strict';
import type { LookupAddress } from 'node:dns';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { isFailure } from '../../app/errors.ts';
import { createDownloader, type Downloader, type DownloaderOptions, type Hop } from '../../app/media/download.ts';
import { createLogger } from '../../app/ops/logger.ts';

const MAX_BYTES = 1_000_000;
const CREDENTIALS = { authorization: 'Basic bWFkZTp1cA==', settings: 'TWILIO_ACCOUNT_SID and TWILIO_AUTH_TOKEN' };
const LOCALHOST: LookupAddress = { address: '127.0.0.1', family: 4 };

let server: Server;
let origin: string;
let port: number;
/** What the server does; each test says it. */
let serve: RequestListener;
let requests: { path: string; authorization: string | undefined }[];
let lines: string[];
let downloaders: Downloader[];

beforeEach(async () => {
  requests = [];
  lines = [];
  downloaders = [];
  server = createServer((incoming, outgoing) => {
    requests.push({ path: incoming.url ?? '', authorization: incoming.headers.authorization });
    serve(incoming, outgoing);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  // A TCP server has an address of this shape.
  port = (server.address() as AddressInfo).port;
  origin = `http://127.0.0.1:${port}`;
});

afterEach(async () => {
  await Promise.all(downloaders.map((downloader) => downloader.close()));
  await new Promise((resolve) => {
    server.close(resolve);
    server.closeAllConnections();
  });
});

function build(overrides: Partial<DownloaderOptions> = {}): Downloader {
  const downloader = createDownloader({
    trustedOrigins: [origin],
    maxBytes: MAX_BYTES,
    waitsMs: [1, 1],
    log: createLogger({ level: 'debug', format: 'json', write: (line) => lines.push(line) }),
    ...overrides,
  });
  downloaders.push(downloader);
  return downloader;
}

function fetchIt(
  overrides: Partial<DownloaderOptions> = {},
  url = `${origin}/file?Signature=made-up`,
): Promise<Buffer> {
  return build(overrides).download({ url: new URL(url), credentials: CREDENTIALS });
}

async function codeOf(downloading: Promise<Buffer>): Promise<string> {
  try {
    await downloading;
    return 'downloaded';
  } catch (error) {
    assert.ok(isFailure(error), `no Failure: ${error}`);
    return error.code;
  }
}

/** Answers with each in turn, and goes on with the last. */
function statuses(...list: number[]): RequestListener {
  return (_, outgoing) => {
    const status = list.length > 1 ? list.shift() : list[0];
    outgoing.writeHead(status ?? 500).end('done');
  };
}

describe('a download', () => {
  test('brings the bytes as they are, and says how many', async () => {
    const bytes = Buffer.from(Array.from({ length: 300_000 }, (_, i) => i % 251));
    serve = (_, outgoing) => outgoing.end(bytes);
    assert.deepEqual(await fetchIt(), bytes);
    assert.ok(lines.some((line) => line.includes('"Successfully downloaded 300000 bytes"')));
    assert.deepEqual(requests, [{ path: '/file?Signature=made-up', authorization: CREDENTIALS.authorization }]);
  });

  test('tells hosts and statuses on the way, and logs no address, query or credential', async () => {
    serve = (incoming, outgoing) =>
      incoming.url === '/next' ? outgoing.end('x') : outgoing.writeHead(302, { location: '/next' }).end();
    const hops: Hop[] = [];
    await build().download({ url: new URL(`${origin}/file?Signature=made-up`), onHop: (hop) => hops.push(hop) });
    const host = `127.0.0.1:${port}`;
    assert.deepEqual(hops, [
      { host, status: 302 },
      { host, status: 200 },
    ]);
    assert.doesNotMatch(lines.join('\n'), /Signature|made-up|\/file|\/next|http:/);
  });

  test('unpacks nothing: a small body cannot become a large one', async () => {
    const packed = gzipSync(Buffer.alloc(50_000_000));
    serve = (_, outgoing) => outgoing.writeHead(200, { 'content-encoding': 'gzip' }).end(packed);
    assert.deepEqual(await fetchIt(), packed);
  });

  test('of an empty file is empty', async () => {
    serve = (_, outgoing) => outgoing.end();
    assert.equal((await fetchIt()).length, 0);
  });
});

describe('the size of a download', () => {
  test('may be the limit', async () => {
    serve = (_, outgoing) => outgoing.end(Buffer.alloc(MAX_BYTES));
    assert.equal((await fetchIt()).length, MAX_BYTES);
  });

  test('is refused by the header alone when that says enough', async () => {
    let closed: Promise<void> | undefined;
    serve = (_, outgoing) => {
      closed = new Promise((resolve) => outgoing.on('close', resolve));
      outgoing.writeHead(200, { 'content-length': MAX_BYTES + 1 }).write('a');
    };
    assert.equal(await codeOf(fetchIt()), 'media.too_large');
    await closed;
    assert.equal(requests.length, 1);
  });

  test('ends at its beginning when that is not wanted, however long it says it is', async () => {
    const beginnings: number[] = [];
    const isWanted = async (beginning: Buffer) => {
      beginnings.push(beginning.length);
      return beginning[0] === 1;
    };
    let closed: Promise<void> | undefined;
    serve = (_, outgoing) => {
      closed = new Promise((resolve) => outgoing.on('close', resolve));
      outgoing.writeHead(200, { 'content-length': 50_000_000 }).write(Buffer.alloc(5_000));
    };
    const url = new URL(`${origin}/file`);
    assert.equal(await codeOf(build().download({ url, isWanted })), 'media.unsupported');
    await closed;
    serve = (_, outgoing) => outgoing.end(Buffer.alloc(10));
    assert.equal(await codeOf(build().download({ url, isWanted })), 'media.unsupported', 'nor a short one');
    serve = (_, outgoing) => outgoing.end(Buffer.alloc(300_000, 1));
    assert.equal((await build().download({ url, isWanted })).length, 300_000);
    assert.equal(beginnings.length, 3, 'each is looked at once');
    assert.equal(requests.length, 3, 'and not tried again');
  });

  test('is cut at the limit when a body has no end, and the connection with it', async () => {
    let sent = 0;
    let closed: Promise<void> | undefined;
    serve = (_, outgoing) => {
      closed = new Promise((resolve) => outgoing.on('close', resolve));
      const pour = () => {
        while (!outgoing.destroyed && outgoing.write(Buffer.alloc(10_000))) sent += 10_000;
      };
      outgoing.on('drain', pour);
      pour();
    };
    assert.equal(await codeOf(fetchIt()), 'media.too_large');
    await closed;
    // What fits into the sockets' buffers on the way is sent, too.
    assert.ok(sent < MAX_BYTES + 20_000_000, `${sent} bytes`);
  });
});

describe('the time of a download', () => {
  test('ends when nothing comes', async () => {
    serve = () => {};
    assert.equal(await codeOf(fetchIt({ idleMs: 50, waitsMs: [] })), 'media.timeout');
  });

  test('ends when a body stops in the middle', async () => {
    serve = (_, outgoing) => void outgoing.writeHead(200, { 'content-length': 10 }).write('half');
    assert.equal(await codeOf(fetchIt({ idleMs: 50, waitsMs: [] })), 'media.timeout');
  });

  test('ends when a body trickles in for ever', async () => {
    serve = (_, outgoing) => {
      const trickle = setInterval(() => outgoing.write('.'), 5);
      outgoing.on('close', () => clearInterval(trickle));
    };
    assert.equal(await codeOf(fetchIt({ timeoutMs: 1_500 })), 'media.timeout');
    assert.equal(requests.length, 1);
  });

  test('ends with the caller, whose reason it gives', async () => {
    serve = () => {};
    const stop = new AbortController();
    const reason = new Error('the turn was given up');
    const downloading = build().download({ url: new URL(origin), signal: stop.signal });
    stop.abort(reason);
    await assert.rejects(downloading, reason);
  });

  test('ends with the caller also between two tries', async () => {
    const stop = new AbortController();
    const reason = new Error('the turn was given up');
    serve = (_, outgoing) => {
      outgoing.writeHead(404).end();
      setImmediate(() => stop.abort(reason));
    };
    const downloading = build({ waitsMs: [60_000] }).download({ url: new URL(origin), signal: stop.signal });
    await assert.rejects(downloading, reason);
  });
});

describe('a download that fails', () => {
  test('with 404 is tried again, because a file can be missing for a moment after its message', async () => {
    serve = statuses(404, 404, 200);
    assert.equal((await fetchIt()).toString(), 'done');
    assert.equal(requests.length, 3);
    assert.ok(requests.every(({ authorization }) => authorization === CREDENTIALS.authorization));
  });

  test('with 404 for good is gone', async () => {
    serve = statuses(404);
    assert.equal(await codeOf(fetchIt()), 'media.gone');
    assert.equal(requests.length, 3);
  });

  test('with 410 is gone at once', async () => {
    serve = statuses(410);
    assert.equal(await codeOf(fetchIt()), 'media.gone');
    assert.equal(requests.length, 1);
  });

  for (const status of [401, 403]) {
    test(`with ${status} names the settings to look at, once`, async () => {
      serve = statuses(status);
      await assert.rejects(fetchIt(), {
        code: 'media.credentials',
        message: /TWILIO_ACCOUNT_SID and TWILIO_AUTH_TOKEN/,
      });
      assert.equal(requests.length, 1);
    });
  }

  test('behind a redirect with 403 is gone: the credentials were not there', async () => {
    serve = (incoming, outgoing) =>
      incoming.url === '/next' ? outgoing.writeHead(403).end() : outgoing.writeHead(302, { location: '/next' }).end();
    assert.equal(await codeOf(fetchIt()), 'media.gone');
  });

  test('with a server error or a cut connection is tried again', async () => {
    const failures = [
      (outgoing: Parameters<RequestListener>[1]) => outgoing.writeHead(503).end(),
      (outgoing: Parameters<RequestListener>[1]) => outgoing.socket?.resetAndDestroy(),
    ];
    serve = (_, outgoing) => {
      const fail = failures.shift();
      if (fail) fail(outgoing);
      else outgoing.end('done');
    };
    assert.equal((await fetchIt()).toString(), 'done');
    assert.equal(requests.length, 3);
  });

  test('because a body is shorter than announced is no file', async () => {
    serve = (_, outgoing) => {
      outgoing.writeHead(200, { 'content-length': 100 }).write('short');
      setImmediate(() => outgoing.socket?.end());
    };
    assert.equal(await codeOf(fetchIt()), 'media.unreachable');
    assert.equal(requests.length, 3);
  });

  test('because nobody listens says so', async () => {
    const nobody = createServer();
    await new Promise<void>((resolve) => nobody.listen(0, '127.0.0.1', resolve));
    // A TCP server has an address of this shape.
    const url = `http://127.0.0.1:${(nobody.address() as AddressInfo).port}`;
    await new Promise((resolve) => nobody.close(resolve));
    await assert.rejects(fetchIt({ trustedOrigins: [url] }, url), {
      code: 'media.unreachable',
      providerCode: 'ECONNREFUSED',
    });
  });
});

describe('a redirect', () => {
  test('is followed without the credentials, even to the same host', async () => {
    serve = (incoming, outgoing) =>
      incoming.url === '/b' ? outgoing.end('there') : outgoing.writeHead(307, { location: '/b' }).end('moved');
    assert.equal((await fetchIt()).toString(), 'there');
    assert.deepEqual(
      requests.map(({ authorization }) => authorization),
      [CREDENTIALS.authorization, undefined],
    );
  });

  test('is followed three times and no more', async () => {
    const lengthen = (most: number): RequestListener => {
      return (incoming, outgoing) => {
        const n = Number(incoming.url?.slice(2) ?? 0) || 0;
        if (n === most) outgoing.end('there');
        else outgoing.writeHead(302, { location: `/n${n + 1}` }).end();
      };
    };
    serve = lengthen(3);
    assert.equal((await fetchIt()).toString(), 'there');
    serve = lengthen(4);
    assert.equal(await codeOf(fetchIt()), 'media.refused');
  });

  test('without a place to go is no file', async () => {
    serve = statuses(302);
    assert.equal(await codeOf(fetchIt()), 'media.unreachable');
  });

  const refused = {
    'this machine': 'https://127.0.0.1/secret',
    'this machine, written as a number': 'https://2130706433/secret',
    'this machine, written short': 'https://127.1/secret',
    'this machine over IPv6': 'https://[::1]/secret',
    'cloud metadata': 'https://169.254.169.254/latest/meta-data/',
    'a private address in IPv6': 'https://[::ffff:10.0.0.1]/secret',
    'a name that resolves to this machine': 'https://localhost/secret',
    'an address without https': 'http://media.example.com/file',
    'another protocol': 'file:///etc/passwd',
    'an address with a password': 'https://user:word@media.example.com/file',
    'an address that is none': 'https://',
  };
  for (const [name, location] of Object.entries(refused)) {
    test(`to ${name} is refused`, async () => {
      serve = (_, outgoing) => outgoing.writeHead(307, { location }).end();
      assert.equal(await codeOf(fetchIt()), 'media.refused');
      assert.equal(requests.length, 1);
    });
  }

  test('to another port of the trusted host is refused: the origin is trusted, not the machine', async () => {
    const inside = createServer((_, outgoing) => outgoing.end('secret'));
    await new Promise<void>((resolve) => inside.listen(0, '127.0.0.1', resolve));
    // A TCP server has an address of this shape.
    const location = `https://127.0.0.1:${(inside.address() as AddressInfo).port}/`;
    serve = (_, outgoing) => outgoing.writeHead(307, { location }).end();
    assert.equal(await codeOf(fetchIt()), 'media.refused');
    await new Promise((resolve) => inside.close(resolve));
  });
});

describe('a name', () => {
  const resolvingTo =
    (...addresses: string[]) =>
    async (): Promise<LookupAddress[]> =>
      addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 }));

  const places = ['127.0.0.1', '10.1.2.3', '169.254.169.254', '::ffff:10.0.0.1', 'fd00:ec2::254', '64:ff9b::a00:1'];
  for (const address of places) {
    test(`that resolves to ${address} is refused`, async () => {
      assert.equal(
        await codeOf(fetchIt({ resolve: resolvingTo(address) }, 'https://media.example.com/')),
        'media.refused',
      );
    });
  }

  test('that also resolves to a private address is refused as a whole', async () => {
    const resolve = resolvingTo('93.184.216.34', '10.0.0.1');
    assert.equal(await codeOf(fetchIt({ resolve }, 'https://media.example.com/')), 'media.refused');
  });

  test('is resolved once: what was checked is what is connected to', async () => {
    // The first answer is allowed; a second look would get one that is not, and where somebody else listens.
    const answers: LookupAddress[] = [LOCALHOST, { address: '127.0.0.2', family: 4 }];
    const checked: string[] = [];
    const asked: string[] = [];
    const resolve = async (hostname: string) => {
      asked.push(hostname);
      return [answers.shift() ?? LOCALHOST];
    };
    const isAllowed = (address: string) => {
      checked.push(address);
      return address === '127.0.0.1';
    };
    // Our server does not speak TLS; that it is reached shows in how that fails.
    const greeted = new Promise((resolved) => server.once('clientError', (_, socket) => resolved(socket.destroy())));
    const url = `https://media.example.com:${port}/`;
    const downloading = codeOf(fetchIt({ resolve, isAllowed, waitsMs: [] }, url));
    await greeted;
    assert.equal(await downloading, 'media.unreachable');
    assert.deepEqual(asked, ['media.example.com']);
    assert.deepEqual(checked, ['127.0.0.1']);
  });

  test('without an address is told like a connection that fails', async () => {
    assert.equal(await codeOf(fetchIt({ resolve: resolvingTo() }, 'https://media.example.com/')), 'media.unreachable');
  });
});
