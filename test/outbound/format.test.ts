import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { formatForWhatsApp } from '../../app/outbound/format.ts';
import { scrub } from '../../app/privacy/scrub.ts';

function format(markdown: string): string {
  return formatForWhatsApp(scrub(markdown));
}

/** Markdown → what WhatsApp is given. */
function shows(title: string, examples: [markdown: string, whatsApp: string][]): void {
  test(title, () => {
    for (const [markdown, whatsApp] of examples) assert.equal(format(markdown), whatsApp);
  });
}

describe('formatting', () => {
  shows('of words', [
    ['**bold** and __bold__', '*bold* and *bold*'],
    ['*italic*, _italic_ and **bold**', '_italic_, _italic_ and *bold*'],
    ['~~struck~~', '~struck~'],
    ['***both***', '_*both*_'],
    ['**bold *and italic* bold**', '*bold _and italic_ bold*'],
    ['**outer __inner__ outer**', '*outer inner outer*'],
    ['**two\nlines**', '*two*\n*lines*'],
    ['这是**重要**的', '这是*重要*的'],
  ]);

  shows('of words beside any character, in any script', [
    ['**注意：**请看**重点**。', '*注意：*请看*重点*。'],
    ['**重要！****次に**です', '*重要！**次に*です'],
    ['これは**「重要」**です', 'これは*「重要」*です'],
    ['**중요:**확인', '*중요:*확인'],
    ['**สำคัญ:**โปรด', '*สำคัญ:*โปรด'],
    ['**ध्यान दें:**कृपया', '*ध्यान दें:*कृपया'],
    ['المبلغ:**50 ريال**، شكرا', 'المبلغ:*50 ريال*، شكرا'],
    ['**Note:**read “**this**”, (**that**)', '*Note:*read “*this*”, (*that*)'],
    ['**Preis: 5 €**/Monat', '*Preis: 5 €*/Monat'],
    ['**[menu](https://example.com/a_b)**:x', '*menu (https://example.com/a_b)*:x'],
    ['**a *b***', '*a _b_*'],
  ]);

  shows('that is WhatsApp’s already', [
    ['*Appointment Confirmed*\n_Tuesday_, ~9:00~ 10:00', '*Appointment Confirmed*\n_Tuesday_, ~9:00~ 10:00'],
    ['* *Ana*: 3 * 4\n* *Ben*: 5', '- *Ana*: 3 * 4\n- *Ben*: 5'],
    ['*Code:* `a**b**c` and 2**8', '*Code:* `a**b**c` and 2**8'],
  ]);

  shows('that is WhatsApp’s already, beside stars that mark nothing', [
    ['*Important:* your card **** 1234', '*Important:* your card **** 1234'],
    ['*Code:* `a***b`, K7***X2 and A1***B2', '*Code:* `a***b`, K7***X2 and A1***B2'],
    ['*First*\n\n***\n\n*Second*', '*First*\n\n———\n\n*Second*'],
    ['*Total:* 2**8 + 3**2', '*Total:* 2**8 + 3**2'],
  ]);

  shows('of numbers as they were written', [
    ['012345. is your code', '012345. is your code'],
    ['08. März 2026\n09. März 2026', '08. März 2026\n09. März 2026'],
    ['2026. was good.\n2026. was better.', '2026. was good.\n2026. was better.'],
    ['1. a\n1. b\n1. c', '1. a\n2. b\n3. c'],
    ['+ 49 30 901820\n+ bread', '+ 49 30 901820\n- bread'],
    ['>65: half price', '>65: half price'],
    ['>= 18 years', '>= 18 years'],
    ['> a quotation', '> a quotation'],
  ]);

  shows('of stars within what must not change', [
    ['**Mail:** a*b*c@example.com, j*** or m*r*a@example.com', '*Mail:* a*b*c@example.com, j*** or m*r*a@example.com'],
    ['**Dial** *111*2#', '*Dial* *111*2#'],
    ['**Пароль:** а*б*в', '*Пароль:* а*б*в'],
    ['**Κωδικός:** α*β*γ', '*Κωδικός:* α*β*γ'],
    ['**重点**是*斜体*的', '*重点*是_斜体_的'],
  ]);

  shows('of addresses once', [
    ['[+1 555 0100](tel:+15550100)', '+1 555 0100'],
    ['[Call us](tel:+15550100)', 'Call us (+15550100)'],
    ['[ana@example.com](mailto:ana@example.com)', 'ana@example.com'],
    ['[Write to us](mailto:ana@example.com)', 'Write to us (ana@example.com)'],
    ['[example.com](https://example.com)', 'https://example.com'],
    ['[www.example.com/a](https://example.com/a/)', 'https://example.com/a/'],
    ['[our menu](https://example.com/menu)', 'our menu (https://example.com/menu)'],
  ]);

  shows('of a rule right below a line', [
    ['Your order\n---\nTwo teas', 'Your order\n———\nTwo teas'],
    ['Title\n===\nwords', '*Title*\nwords'],
  ]);

  shows('of an answer in a fence', [
    ['```markdown\n**Hi**\n* a\n```', '*Hi*\n- a'],
    ['```md\n# T\n```\nend', '*T*\nend'],
    ['```js\n**x**\n```', '```\n**x**\n```'],
  ]);

  shows('of marks that are meant as they are', [
    ['\\*not bold\\*', '\u2217not bold\u2217'],
    ['3 \\* 4 and snake\\_case', '3 * 4 and snake_case'],
  ]);

  shows('of codes with stars inside', [
    [
      'First 0002br.gov.bcb.pix0136a1***6304E2CA, then 0002br.gov.bcb.pix0136b2***6304AB12 **now**',
      'First 0002br.gov.bcb.pix0136a1***6304E2CA, then 0002br.gov.bcb.pix0136b2***6304AB12 *now*',
    ],
    ['ABC**DEF e **bold** GHI*JKL*MNO', 'ABC**DEF e *bold* GHI*JKL*MNO'],
  ]);

  shows('of headings', [
    ['# Title\n\ntext', '*Title*\n\ntext'],
    ['## **Strong** title', '*Strong title*'],
    ['Title\n===\ntext', '*Title*\ntext'],
  ]);

  shows('of links and pictures', [
    ['[the docs](https://example.com/a?b=1&amp;c=2)', 'the docs (https://example.com/a?b=1&c=2)'],
    ['[https://example.com](https://example.com)', 'https://example.com'],
    ['<https://example.com/a_b_c> *x*', 'https://example.com/a_b_c *x*'],
    ['see https://example.com/a_b_c?d=*e*', 'see https://example.com/a_b_c?d=*e*'],
    ['[](https://example.com)', 'https://example.com'],
    ['[write](mailto:a@example.com) or <a@example.com>', 'write (a@example.com) or a@example.com'],
    ['![a cat](https://example.com/cat.jpg)', 'a cat (https://example.com/cat.jpg)'],
    ['[Ana]: hello', '[Ana]: hello'],
  ]);

  shows('of lists', [
    ['* a\n* b\n  * c\n+ d', '- a\n- b\n  - c\n- d'],
    ['3. three\n3. four', '3. three\n4. four'],
    ['2. yes\n7. **no**', '2. yes\n7. *no*'],
    ['1) one *x*\n2) two', '1) one *x*\n2) two'],
    ['1. **One**:\n   more\n   - a\n\n2. Two', '1. *One*:\n   more\n   - a\n\n2. Two'],
    ['- [x] done\n- [ ] to do', '- ☑ done\n- ☐ to do'],
  ]);

  shows('of tables', [
    ['| Tea | Price |\n|---|---|\n| Mint | **3 €**<br>each |', '*Tea | Price*\nMint | *3 €* each'],
    ['| | |\n|-|-|\n| a | b |', 'a | b'],
  ]);

  shows('of quotations, rules and entities', [
    ['> said **Ana**\n> > and Ben', '> said *Ana*\n> and Ben'],
    ['above\n\n---\n\nbelow', 'above\n\n———\n\nbelow'],
    ['3 &lt; 4 &amp;&amp; 5 &#62; 4 &unknown;', '3 < 4 && 5 > 4 &unknown;'],
  ]);

  shows('of code, which stays', [
    ['call `a_b*c*` &amp; go', 'call `a_b*c*` & go'],
    ['```js\nlet **a** = `1`;\n\n  b &lt; c\n```\nend', '```\nlet **a** = `1`;\n\n  b &lt; c\n```\nend'],
    ['*x*\n\n    indented\n      more', '*x*\n\n    indented\n      more'],
  ]);
});

describe('what stays as it is', () => {
  const texts = [
    'Just a text.\nWith lines.\n\n\nAnd paragraphs!',
    '2 * 3 * 4 = 24, 5*4 = 20, 5*4*3 = 60 and 2**8**2',
    'snake_case_name and __init__.py and _ alone',
    '- a list\n- of things\n  - with more\n1. and\n2. numbers',
    '#hashtag and 1 > 0 and a | b and ~5 minutes',
    '<b>html</b> and <div class="x">text</div>',
    'C:\\temp\\new',
    'émoji 😀 and العربية',
  ];
  for (const text of texts) test(JSON.stringify(text), () => assert.equal(format(text), text));
});

describe('line breaks', () => {
  shows('stay, and so do the blank lines between paragraphs', [
    ['*one*\ntwo  \nthree\\\nfour', '*one*\ntwo\nthree\nfour'],
    ['**a**\n\n\n\nb\n- c', '*a*\n\n\n\nb\n- c'],
    ['one<br>two', 'one\ntwo'],
  ]);
});

describe('stars', () => {
  shows('with the space on the wrong side of them still name what follows', [
    ['**Name: **Ana', '*Name:* Ana'],
    ['- **Name: **Ana, **Tel.: **030\n- **Ort:** Ulm', '- *Name:* Ana, *Tel.:* 030\n- *Ort:* Ulm'],
    ['**注意： **请看', '*注意：* 请看'],
    ['from 2 **3 to 4 **5', 'from 2 **3 to 4 **5'],
  ]);

  shows('within a word leave the word', [
    ['Re**book** now', 'Rebook now'],
    ['ein **Haus**arzt, un**believ**able', 'ein Hausarzt, unbelievable'],
    ['2**8**2 and a**b**c', '2**8**2 and a**b**c'],
  ]);

  shows('that are written as a number are no marks', [['&#42;code&#42; and **bold**', '\u2217code\u2217 and *bold*']]);

  test('around more than fits into a message are left out', () => {
    const words = 'word '.repeat(400).trim();
    assert.equal(format(`**${words}** and **this**`), `${words} and *this*`);
  });
});

test('an address that was hidden by formatting is scrubbed', () => {
  assert.doesNotMatch(format('twilio\\.com and api&#46;twilio&#46;com'), /twilio\.com/);
});

test('a text nested without end comes back', () => {
  const text = `*x* ${'> '.repeat(5_000)}deep`;
  assert.match(format(text), /deep$/);
});

describe('whatever the text', () => {
  test('there is a text again', () => {
    const marks = fc.constantFrom(
      '*',
      '**',
      '_',
      '~~',
      '`',
      '```',
      '\n',
      '\n\n',
      '# ',
      '> ',
      '- ',
      '1. ',
      '[',
      '](',
      ')',
      '|',
      '&',
      '<',
      '\\',
      ' ',
    );
    const anything = fc.array(fc.oneof(marks, fc.string({ unit: 'binary', maxLength: 5 })), { maxLength: 40 });
    fc.assert(fc.property(anything, (pieces) => assert.equal(typeof format(pieces.join('')), 'string')));
  });

  test('its plain words survive in their order', () => {
    const word = fc.stringMatching(/^[a-z]{2,8}$/);
    const marks = fc.constantFrom(
      ' ',
      ' **',
      '** ',
      ' _',
      '_ ',
      '\n',
      '\n\n',
      '\n- ',
      '\n1. ',
      '\n# ',
      '\n> ',
      ' ~~',
      ' | ',
      '! ',
    );
    fc.assert(
      fc.property(fc.array(fc.tuple(word, marks), { maxLength: 30 }), (pieces) => {
        const text = format(pieces.flat().join(''));
        let from = 0;
        for (const [plain] of pieces) {
          from = text.indexOf(plain, from);
          assert.ok(from >= 0, `${plain} is not in ${JSON.stringify(text)}`);
          from += plain.length;
        }
      }),
      { numRuns: 300 },
    );
  });
});
