import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import {
  findLeaks,
  joinScrubbed,
  LEAK_EXAMPLES,
  PLACEHOLDER,
  scrub,
  scrubbed,
  stepsToScrub,
} from '../../app/privacy/scrub.ts';

const HEX = '0123456789abcdef0123456789abcdef';
const PATH = `/2010-04-01/Accounts/AC${HEX}/Messages/MM${HEX}/Media/ME${HEX}`;

describe('what goes', () => {
  for (const { kind, name, sample } of LEAK_EXAMPLES) {
    test(`${name}: ${kind}`, () => {
      assert.equal(scrub(sample), PLACEHOLDER);
      assert.deepEqual(findLeaks(`see ${sample}`), [{ kind, index: 4, length: sample.length }]);
    });
  }

  const cases: [name: string, text: string, expected: string][] = [
    ['leaves the punctuation of the sentence', 'Look: https://api.twilio.com/x. Nice!', 'Look: #. Nice!'],
    ['leaves the brackets around', '(https://api.twilio.com/x), "api.twilio.com"', '(#), "#"'],
    ['leaves the words of a Markdown link', '[photo](https://api.twilio.com/x)hello', '[photo](#)hello'],
    ['leaves WhatsApp formatting', '*https://api.twilio.com/a_b* _api.twilio.com_', '*#* _#_'],
    [
      'takes the encoded address out of another one',
      `https://a.example/?u=${encodeURIComponent(`https://twilio.com${PATH}`)}`,
      'https://a.example/?u=#',
    ],
    ['takes a password with slashes, brackets and at signs', 'x https://user:p%2Fa(s@s@api.twilio.com/x y', 'x # y'],
    ['takes a mailbox', 'write to help.me@twilio.com, please', 'write to #, please'],
    ['takes the protocol-relative form', 'src=//media.twiliocdn.com/x', 'src=#'],
    ['takes slashes written for JSON', '{"u":"https:\\/\\/api.twilio.com\\/x","n":1}', '{"u":"#","n":1}'],
    ['takes the root dot and an empty port', 'api.twilio.com./x api.twilio.com:/x', '# #'],
    ['knows a host between letters of other scripts', '请看https://api.twilio.com/x的图', '请看#的图'],
    ['knows a host behind encoded letters of other scripts', '%E8%A7%81twilio.com', '%E8%A7%81#'],
    ['takes the host of an API path', `at http://user:p(w@10.0.0.7:4010/proxy${PATH}.json?x=1 now`, 'at # now'],
    ['takes an API path whatever its case', '/2010-04-01/accounts', '#'],
    ['takes identifiers glued together', `xAC${HEX}SM${HEX}y`, 'x#y'],
    ['takes the whole of identifiers that overlap', `ME${'z'.repeat(10)}AC${HEX}`, '#'],
    ['takes an identifier behind a percent sign', `5%AC${HEX}`, '5%#'],
    ['takes the path behind an encoded slash that could be part of an identifier', encodeURIComponent(PATH), '#'],
    ['takes an identifier whose letter a false escape swallows', `%4AC${HEX} %%34AC${HEX} %4%41C${HEX}`, '# # #'],
    ['takes a host glued to an identifier', `MM${HEX}twilio.com twilio.comME${HEX}`, '# #'],
    ['takes a host of which every letter is encoded, twice', everyLetter(everyLetter('https://api.twilio.com/x')), '#'],
  ];
  for (const [name, text, expected] of cases) {
    test(name, () => assert.equal(scrub(text), expected.replaceAll('#', PLACEHOLDER)));
  }
});

describe('what is written with other characters', () => {
  const wide = (text: string) =>
    [...text].map((c) => (c > ' ' && c < '\x7f' ? String.fromCharCode(c.charCodeAt(0) + 0xfee0) : c)).join('');
  const sid = `ME${'0123456789abcdef'.repeat(2)}`;
  const hidden = {
    'full width': wide('https://api.twilio.com/x'),
    'full width, an identifier': wide(sid),
    'an ideographic dot': 'https://api。twilio。com/x',
    'a half-width ideographic dot': 'api｡twilio｡com',
    'a zero-width space': 'https://api.twi\u200blio.com/x',
    'a zero-width joiner in every place': [...'https://api.twilio.com/x'].join('\u200d'),
    'a soft hyphen': 'twi\u00adlio.com',
    'a word joiner in an identifier': `${sid.slice(0, 10)}\u2060${sid.slice(10)}`,
    'letters of mathematics': 'https://api.\u{1d42d}\u{1d430}\u{1d422}\u{1d425}\u{1d422}\u{1d428}.com/x',
    'letters in circles': 'ⓣwilio.ⓒom',
    'a direction mark': 'twilio\u200e.com',
    'a byte order mark': 'tw\ufeffilio.com',
  };
  for (const [name, text] of Object.entries(hidden))
    test(name, () => {
      assert.equal(scrub(text), PLACEHOLDER);
      assert.equal(scrub(`看 ${text} 吧`), `看 ${PLACEHOLDER} 吧`);
    });

  test('stays when it says nothing: emoji, other scripts, ordinary full width', () => {
    for (const text of [
      '👩\u200d💻 ok',
      'ｈｅｌｌｏ。',
      '你好。请看 example.com。',
      'می\u200cخواهم',
      '𝐛𝐨𝐥𝐝 ①②',
      'soft\u00adhyphen',
    ])
      assert.equal(scrub(text), text);
  });

  test('beside emoji and Chinese the text around it is kept', () => {
    assert.equal(scrub('👩\u200d💻 https://api.twilio.com/x。下一句 ①'), `👩\u200d💻 ${PLACEHOLDER}。下一句 ①`);
  });
});

describe('what stays', () => {
  const texts = [
    '',
    'Twilio is a company; nottwilio.com, not-twilio.com, twilio.community and twilio.co are not its site.',
    'I paid 50% of 20 % and 100%, on 2010-04-01.',
    'https://example.com/a%20b?c=%E2%82%AC#%41',
    `sha256:${HEX}${HEX} and md5 ${HEX}`,
    `MM${HEX.slice(1)} AC${HEX.slice(1)}g MM_${HEX}`,
    'MEMORANDUM MMXXIV Meerschweinchenfutterfabrikbesitzer',
    'מה שלומך? 👩‍👩‍👧 \ud800 \u0000',
  ];
  for (const text of texts) {
    test(JSON.stringify(text), () => {
      assert.equal(scrub(text), text);
      assert.deepEqual(findLeaks(text), []);
    });
  }

  test('any text without the words that give a leak away', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string({ unit: 'binary' }), fc.lorem({ mode: 'sentences' }), fc.webUrl()), (text) => {
        fc.pre(!/twilio|2010-04-01|%[0-9a-f]{2}|[A-Z]{2}[0-9a-z]{32}/i.test(text));
        assert.equal(scrub(text), text);
      }),
    );
  });
});

describe('whatever the text', () => {
  test('nothing that matches survives', () => {
    fc.assert(
      fc.property(hostile(), (text) => {
        const clean = scrub(text);
        assert.deepEqual(survivors(clean), [], `left of ${JSON.stringify(text)}: ${JSON.stringify(clean)}`);
        assert.deepEqual(findLeaks(clean), []);
      }),
      { numRuns: 3_000 },
    );
  });

  test('scrubbing twice changes nothing more', () => {
    fc.assert(
      fc.property(hostile(), (text) => assert.equal(scrub(scrub(text)), scrub(text))),
      { numRuns: 3_000 },
    );
  });

  test('a text that is known to be clean says nothing of one that is like it, however many there were', () => {
    const leaking = `media: https://api.twilio.com/x ${'and so on '.repeat(60)}`;
    const texts = Array.from({ length: 4_000 }, (_, i) => `${i}: ${'what they wrote '.repeat(40)}`);
    for (const text of [...texts, ...texts.slice(-10), ...texts.slice(0, 10)]) {
      assert.equal(scrub(text), text);
      assert.equal(scrub(`${text}twilio.com`), `${text}[MEDIA_CONTENT]`);
      assert.equal(findLeaks(`${text}twilio.com`).length, 1);
    }
    assert.doesNotMatch(scrub(leaking), /twilio/);
    assert.doesNotMatch(scrub(leaking), /twilio/);
  });

  test('what stands apart from a leak stays as it was', () => {
    const word = fc
      .string({ unit: fc.constantFrom(...'abcdefgxyz 👋é.!?') })
      .filter((text) => findLeaks(text).length === 0);
    fc.assert(
      fc.property(word, leak(), word, (before, secret, after) => {
        assert.equal(scrub(`${before} ${secret} ${after}`), `${before} ${PLACEHOLDER} ${after}`);
      }),
      { numRuns: 1_000 },
    );
  });

  test('the leaks found are what is taken out', () => {
    fc.assert(
      fc.property(hostile(), (text) => {
        let rebuilt = '';
        let from = 0;
        for (const { index, length } of findLeaks(text)) {
          rebuilt += text.slice(from, index) + PLACEHOLDER;
          from = index + length;
        }
        assert.equal(scrub(text), rebuilt + text.slice(from));
      }),
      { numRuns: 1_000 },
    );
  });
});

describe('the work', () => {
  /** A quarter of 1 MB. */
  const quarter = 1 << 18;
  const floods = [
    'twilio.com',
    'api.twilio.com/',
    'a@twilio.com ',
    'xtwilio.com',
    '-twilio.com',
    '/2010-04-01',
    '/2010-04-01/Accounts',
    '2010-04-01//',
    'ME',
    'AC',
    'M',
    'f',
    '%25',
    '%2',
    '%41',
    '%',
    'a.',
    '.',
    '/',
    '@',
    ':',
    '-',
    '_',
    '(',
    'a:@',
  ];
  for (const flood of floods) {
    test(`grows with the length of ${JSON.stringify(flood)} over and over`, () => {
      for (const [before, after] of [
        ['', ''],
        ['', 'twilio.com'],
        ['https://', '@twilio.com/2010-04-01/Accounts'],
      ]) {
        const [small, large] = [quarter, quarter * 4].map((size) =>
          stepsToScrub(before + flood.repeat(size / flood.length) + after),
        );
        assert.ok(small && large && small >= quarter, 'it looks at everything');
        assert.ok(large < 4.1 * small, `4 times the text, ${large / small} times the work`);
        assert.ok(large < 20 * 4 * quarter, 'a character is looked at a few times at most');
      }
    });
  }
});

describe('putting texts together', () => {
  test('the tag keeps its texts and numbers', () => {
    assert.equal(scrubbed`${scrub('hello')}\n${3} times`, 'hello\n3 times');
  });

  test('two harmless halves do not make a leak', () => {
    const [left, right] = [scrub('https://api.twi'), scrub('lio.com/x')];
    assert.equal(scrubbed`${left}${right}`, PLACEHOLDER);
    assert.equal(joinScrubbed([left, right], ''), PLACEHOLDER);
  });

  test('joins with a separator', () => {
    assert.equal(joinScrubbed([scrub('a'), scrub('b')], '\n'), 'a\nb');
  });
});

/** Something that must go, in one of its many forms. Never ends in punctuation. */
function leak(): fc.Arbitrary<string> {
  const sid = fc
    .tuple(fc.constantFrom('AC', 'SM', 'MM', 'ME', 'SK', 'CA', 'MG', 'PN', 'IS', 'XE', 'HX'), hexDigits(32))
    .map((parts) => parts.join(''));
  const anySid = fc
    .tuple(fc.constantFrom('MM', 'ME'), fc.string({ unit: fc.constantFrom(...'azAZ09'), minLength: 32, maxLength: 32 }))
    .map((parts) => parts.join(''));
  const path = fc
    .tuple(sid, fc.constantFrom('', '/Messages.json?x=1', '/Messages/x%20y'))
    .map(([account, rest]) => `/2010-04-01/Accounts/${account}${rest}`);
  const url = fc
    .tuple(
      fc.constantFrom('', 'https://', 'HTTP://', '//', 'wss://', 'foo+bar:\\/\\/'),
      fc.constantFrom('', 'user:pa55@', ':p(w@', 'AC1:to%20ken@'),
      fc.constantFrom('', 'api.', 'api.dublin.ie1.', 'a-b.'),
      fc.constantFrom('twilio.com', 'twiliocdn.com'),
      fc.constantFrom('', ':443', ':8443/x'),
      fc.oneof(fc.constantFrom('', '/', '/x?y=z#1'), path),
    )
    .map((parts) => parts.join(''));
  const proxied = fc.tuple(fc.constantFrom('', 'http://localhost:4010', 'https://u:p@proxy.example/a/b'), path);
  return fc
    .tuple(
      fc.oneof(
        sid,
        anySid,
        url,
        mixedCase(url),
        proxied.map((parts) => parts.join('')),
      ),
      fc.nat(3),
      fc.boolean(),
    )
    .map(([text, depth, all]) => {
      let encoded = text;
      for (let i = 0; i < depth; i++) encoded = all ? everyLetter(encoded) : encodeURIComponent(encoded);
      return encoded;
    });
}

/** Leaks between all that could hide them: letters, digits, escapes, other leaks, half leaks. */
function hostile(): fc.Arbitrary<string> {
  const near = fc.constantFrom(
    'a',
    'Z',
    '0',
    '-',
    '_',
    '.',
    ',',
    '/',
    '//',
    '\\',
    ':',
    '@',
    '%',
    '%2',
    '%25',
    '%41',
    '%C3%A9',
    '%2F',
    '%40',
    '(',
    ')',
    '[',
    ']',
    '"',
    ' ',
    '\n',
    'é',
    '\uffff',
    'twilio',
    'twilio.com',
    '%74wilio.com',
    '.com',
    'com',
    'api.',
    'AC',
    'M',
    'ME',
    'MM',
    'f'.repeat(31),
    '2010-04-01',
    '/2010-04-01/',
    '/2010-04-01/Accounts',
    'Accounts',
    PLACEHOLDER,
  );
  return fc
    .array(fc.oneof({ weight: 4, arbitrary: near }, { weight: 2, arbitrary: leak() }, fc.string({ maxLength: 5 })), {
      maxLength: 8,
    })
    .map((parts) => parts.join(''));
}

function hexDigits(length: number): fc.Arbitrary<string> {
  return fc.string({ unit: fc.constantFrom(...'0123456789abcdefABCDEF'), minLength: length, maxLength: length });
}

function mixedCase(texts: fc.Arbitrary<string>): fc.Arbitrary<string> {
  return fc
    .tuple(texts, fc.infiniteStream(fc.boolean()))
    .map(([text, flips]) => Array.from(text, (c) => (flips.next().value ? c.toUpperCase() : c.toLowerCase())).join(''));
}

function everyLetter(text: string): string {
  return Array.from(Buffer.from(text), (byte) => `%${byte.toString(16).padStart(2, '0')}`).join('');
}

/** What is left in a text, by patterns that know nothing of the implementation, at every depth of encoding. */
function survivors(text: string): string[] {
  const patterns = [
    /(?<![a-z0-9-])(?:twilio|twiliocdn)\.com(?![a-z0-9])/i,
    /[a-z0-9]\.(?:twilio|twiliocdn)\.com(?![a-z0-9])/i,
    /[\\/]2010-04-01[\\/]+Accounts(?![a-z0-9])/i,
    /M[ME][0-9A-Za-z]{32}/,
    /(?:AC|SM|SK|CA|MG|PN|IS|XE|HX)[0-9a-fA-F]{32}/,
  ];
  const found = new Set<string>();
  let decoded = text;
  for (let before = ''; before !== decoded; ) {
    for (const pattern of patterns) if (pattern.test(decoded)) found.add(`${pattern} in ${decoded}`);
    before = decoded;
    decoded = decoded.replace(/%([0-9a-f]{2})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
  }
  return [...found];
}
