import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { describe, test } from 'node:test';
import { createLogger, type Log, type LogFields, type LoggerOptions } from '../../app/ops/logger.ts';
import { LEAK_EXAMPLES } from '../../app/privacy/scrub.ts';

const SID = `AC${'0123456789abcdef'.repeat(2)}`;
const SECRETS = {
  url: `https://api.twilio.com/2010-04-01/Accounts/${SID}/Messages.json`,
  sid: SID,
  phone: '15550100123',
  whatsapp: 'whatsapp:+15550100123',
  bearer: 'Bearer made.up-token',
  key: 'sk-proj-madeUpKey123456',
  authToken: 'fedcba9876543210fedcba9876543210',
  base64: 'aGVsbG8gd29y'.repeat(8),
  picture: 'data:image/jpeg;base64,/9j/4AAQ',
  database: 'redis://:hunter2@redis:6379/0',
};
/** What would give a secret away if it were seen. */
const TELLTALES = /twilio|0123456789abcdef|1555010|made|fedcba|aGVsbG8gd29y|4AAQ|hunter2/;

describe('a line', () => {
  test('in JSON has time, level, message and fields, in this order', () => {
    const { log, lines } = logger({ format: 'json' });
    log.info('The turn was committed', { ms: 12, via: 'twiml' });
    const [line = ''] = lines;
    const { time } = JSON.parse(line) as { time: string };
    assert.equal(new Date(time).toISOString(), time);
    assert.equal(line, `{"time":"${time}","level":"info","message":"The turn was committed","ms":12,"via":"twiml"}`);
  });

  test('as text has time, level, message and key=value', () => {
    const { log, lines } = logger({ format: 'text' });
    log.warn('Asked again', { attempts: 2, reason: 'no answer', usage: { prompt: 12 }, none: undefined });
    assert.match(
      lines[0] ?? '',
      /^\d\d:\d\d:\d\d\.\d{3} warn {2}Asked again attempts=2 reason="no answer" usage=\{"prompt":12\} none=undefined$/,
    );
  });

  test('is one line, whatever it says', () => {
    for (const format of ['json', 'text'] as const) {
      const { log, lines } = logger({ format });
      log.info('a\nb\u001b[31m\r\u2028', { key: 'c\nd\u001b', 'e\nf': 1 });
      // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not be there
      assert.doesNotMatch(lines[0] ?? '', format === 'json' ? /[\n\r\u001b]/ : /[\n\r\u001b\u2028]/);
      assert.equal(lines.length, 1);
    }
  });

  test('keeps its own time, level and message when fields are called so', () => {
    const { log, lines } = logger({ format: 'json' });
    log.child({ level: 'debug' }).info('mine', { message: 'theirs', time: 1 });
    const line = JSON.parse(lines[0] ?? '') as Record<string, unknown>;
    assert.equal(line.message, 'mine');
    assert.equal(line.level, 'info');
    assert.equal(line['field.message'], 'theirs');
    assert.equal(line['field.level'], 'debug');
  });

  test('is there as soon as it is logged, from the first one on', () => {
    const { log, lines } = logger({ format: 'json' });
    for (let i = 0; i < 100; i++) log.info(`line ${i}`);
    assert.deepEqual(
      lines.map((line) => (JSON.parse(line) as { message: string }).message),
      Array.from({ length: 100 }, (_, i) => `line ${i}`),
    );
  });
});

describe('levels', () => {
  test('below the chosen one are not written', () => {
    const { log, lines } = logger({ format: 'text', level: 'warn' });
    for (const level of ['debug', 'info', 'warn', 'error'] as const) log[level](`said at ${level}`);
    assert.deepEqual(
      lines.map((line) => line.slice(13, 18)),
      ['warn ', 'error'],
    );
  });

  test('error shows where errors come from, the others do not', () => {
    for (const format of ['json', 'text'] as const) {
      const { log, lines } = logger({ format });
      log.error('It failed', { error: new Error('outer', { cause: new Error('inner') }) });
      log.warn('It failed', { error: new Error('outer') });
      assert.match(lines[0] ?? '', /inner.*logger\.test/s);
      assert.doesNotMatch(lines[1] ?? '', /logger\.test/);
    }
  });
});

describe('a child', () => {
  test('adds its fields to each line, and its children theirs', () => {
    const { log, lines } = logger({ format: 'json' });
    const child = log.child({ requestId: 'r-1', step: 'a' }).child({ step: 'b' });
    child.info('one', { n: 1 });
    child.info('two', { step: 'c' });
    log.info('three');
    assert.deepEqual(lines.map(fieldsOf), [{ requestId: 'r-1', step: 'b', n: 1 }, { requestId: 'r-1', step: 'c' }, {}]);
  });

  test('redacts what it carries', () => {
    const { log, lines } = logger({ format: 'json' });
    log.child({ conversation: '14155238886:15550100123' }).info('x');
    assert.deepEqual(lines.map(fieldsOf), [{ conversation: '***8886:***0123' }]);
  });
});

describe('no secret gets into a line', () => {
  const places: Record<string, (secret: string, log: Log) => void> = {
    'the message': (secret, log) => log.info(`before ${secret} after`),
    'a field': (secret, log) => log.info('x', { field: secret }),
    'the middle of a field': (secret, log) => log.info('x', { field: `(${secret}), then` }),
    'the name of a field': (secret, log) => log.info('x', { [secret]: 1 }),
    'a nested array': (secret, log) => log.info('x', { a: [{ b: [secret] }] }),
    'a name deep down': (secret, log) => log.info('x', { a: { b: { [secret]: true } } }),
    'a child': (secret, log) => log.child({ a: { b: secret } }).info('x'),
    'an error': (secret, log) => log.error('x', { error: new Error(`failed for ${secret}`) }),
    'the cause of an error': (secret, log) => log.error('x', { error: new Error('x', { cause: new Error(secret) }) }),
    'a cause that is no error': (secret, log) => log.error('x', { error: new Error('x', { cause: { a: secret } }) }),
    'the name and code of an error': (secret, log) =>
      log.error('x', { error: Object.assign(new Error('x'), { name: secret, code: secret, config: secret }) }),
    'an error instead of fields': (secret, log) => log.error('x', new Error(secret) as unknown as LogFields),
    'a symbol, a map and a set': (secret, log) =>
      log.info('x', { a: Symbol(secret), b: new Map([[secret, secret]]), c: new Set([secret]) }),
    'an address object': (_, log) => log.info('x', { a: new URL(SECRETS.url), b: new URL(SECRETS.database) }),
  };
  for (const [place, put] of Object.entries(places)) {
    test(`in ${place}`, () => {
      for (const format of ['json', 'text'] as const) {
        const { log, lines } = logger({ format });
        const secrets = [...Object.values(SECRETS), ...LEAK_EXAMPLES.map(({ sample }) => sample)];
        for (const secret of secrets) put(secret, log);
        assert.equal(lines.length, secrets.length);
        for (const line of lines) assert.doesNotMatch(line, TELLTALES);
      }
    });
  }

  test('under the name of a secret or of what people wrote', () => {
    const { log, lines } = logger({ format: 'json' });
    log.info('x', { authToken: 'short', body: 'my diary', headers: { cookie: 'a=b' } });
    assert.doesNotMatch(lines[0] ?? '', /short|diary|a=b/);
  });
});

describe('logging never throws', () => {
  const circle: Record<string, unknown> = {};
  circle.circle = circle;
  const strange: Record<string, unknown> = {
    circle,
    big: { n: 12n },
    trap: {
      get boom(): string {
        throw new Error('boom');
      },
    },
    symbol: { [Symbol('s')]: Symbol('t') },
    proxy: new Proxy(
      {},
      {
        ownKeys() {
          throw new Error('no');
        },
      },
    ),
    toJSON: {
      toJSON() {
        throw new Error('no');
      },
    },
    error: Object.defineProperty(new Error('x'), 'message', {
      get() {
        throw new Error('no');
      },
    }),
    nothing: null,
    bare: Object.create(null),
    text: 'no fields at all',
    number: 7,
    list: [1, 2],
  };
  for (const [name, value] of Object.entries(strange)) {
    test(`on ${name}`, () => {
      for (const format of ['json', 'text'] as const) {
        const { log, lines } = logger({ format });
        log.error('as a field', { value });
        log.error('as the fields', value as LogFields);
        log.child(value as LogFields).error('as a child');
        log.error(value as string);
        assert.equal(lines.length, 4);
        if (format === 'json') for (const line of lines) assert.equal(typeof JSON.parse(line), 'object');
      }
    });
  }

  test('when the line cannot be taken, and goes on afterwards', () => {
    const lines: string[] = [];
    let broken = true;
    const log = createLogger({
      level: 'info',
      format: 'json',
      write: (line) => {
        if (broken) throw new Error('disk full');
        lines.push(line);
      },
    });
    for (let i = 0; i < 100; i++) log.info('lost');
    broken = false;
    log.info('written');
    assert.equal(lines.length, 1);
  });
});

test('standard output gets every line in order, also those just before the end', () => {
  const program = `
    const { createLogger } = await import('./app/ops/logger.ts');
    const log = createLogger({ level: 'info', format: 'text' });
    for (let i = 0; i < 2000; i++) log.info('early ' + i);
    setTimeout(() => { log.info('late'); process.exit(0); }, 1);
  `;
  const root = new URL('../..', import.meta.url);
  const output = execFileSync(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', program], {
    cwd: root,
  });
  const messages = output
    .toString()
    .trimEnd()
    .split('\n')
    .map((line) => line.slice(19));
  assert.deepEqual(messages, [...Array.from({ length: 2000 }, (_, i) => `early ${i}`), 'late']);
});

function logger(options: Partial<LoggerOptions>): { log: Log; lines: string[] } {
  const lines: string[] = [];
  const log = createLogger({ level: 'debug', format: 'json', write: (line) => lines.push(line), ...options });
  return { log, lines };
}

function fieldsOf(line: string): Record<string, unknown> {
  const { time: _time, level: _level, message: _message, ...fields } = JSON.parse(line) as Record<string, unknown>;
  return fields;
}
