/**
 * Who may import whom, and which outside party has which door. The map is the one in `app/README.md`; a failure says what to do.
 * Sources are read by pattern: they are formatted by one tool, so that imports begin their line.
 */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path/posix';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';

/** Everyone may use them. */
const WORDS = ['message', 'money', 'errors', 'privacy', 'ops'];

/** Place → what it may import beside the words and itself. A place is a folder of `app/` or a file directly in it. */
const MAP: Record<string, string[] | 'everything'> = {
  main: ['wire', 'config'],
  wire: 'everything',
  http: [],
  config: ['costs/prices', 'broadcast/hours'],
  web: ['inbox/contract', 'simulator/contract'],
  inbox: ['conversation', 'broadcast', 'outbound', 'channels', 'archive', 'contacts', 'costs', 'events'],
  broadcast: ['outbound', 'channels', 'archive', 'contacts', 'costs'],
  conversation: ['contacts', 'outbound', 'channels', 'memory', 'media', 'llm', 'costs/ledger', 'events'],
  costs: ['archive', 'memory', 'events'],
  outbound: ['channels', 'memory', 'llm/tokens', 'events'],
  contacts: ['memory'],
  analysis: ['llm', 'archive', 'events'],
  simulator: ['channels', 'http'],
  archive: ['memory', 'contacts', 'events'],
  channels: ['media', 'contacts/addresses'],
  media: [],
  llm: [],
  memory: [],
  events: [],
  embedded: [],
  message: [],
  money: [],
  errors: [],
  privacy: [],
  ops: [],
};

/** The pages in the browser may import only their types. */
const TYPES_ONLY = ['inbox/contract', 'simulator/contract'];

/** One outside party, one door. */
const DOORS: Record<string, string[]> = {
  twilio: ['channels/twilio'],
  openai: ['llm/openai'],
  undici: ['llm', 'media'],
  sharp: ['media'],
  ioredis: ['memory', 'wire'],
  kysely: ['archive'],
  pg: ['archive/engine'],
  bullmq: ['analysis'],
  'csv-parse': ['broadcast'],
  winston: ['ops'],
  'node:child_process': ['embedded'],
};

/** Path from the project's folder, with `/` → source. */
type Sources = Record<string, string>;

const sources = readSources('app', 'scripts', 'test');

describe('the sources', () => {
  test('import only what the map allows', () => holds(mapProblems(sources)));
  test('reach each outside party through its door', () => holds(doorProblems(sources)));
  test('have no circle of imports', () => holds(circleProblems(sources)));
  test('read the environment in app/main.ts alone', () => holds(environmentProblems(sources)));
  test('end every relative import in the name of a file', () => holds(endingProblems(sources)));
  test('are named after what they give', () => holds(nameProblems(sources)));
  test('join few parts per file', () => holds(wireProblems(sources)));
  test('have functions that fit on a screen', () => holds(lengthProblems(sources)));

  test('what checks the scrubbing imports no package: it runs before anything is installed', () => {
    const seen = new Set<string>();
    const packages = new Set<string>();
    const visit = (file: string) => {
      if (seen.has(file)) return;
      seen.add(file);
      for (const { from } of importsOf(sources[file] ?? assert.fail(`there is no ${file}`))) {
        if (from.startsWith('.')) visit(join(dirname(file), from));
        else if (!from.startsWith('node:')) packages.add(from);
      }
    };
    visit('scripts/check-scrub.ts');
    assert.ok(seen.has('app/privacy/scrub.ts'));
    assert.deepEqual([...packages], []);
  });
});

describe('the check itself', () => {
  test('sees every import of every file', () => {
    assert.ok(Object.keys(sources).includes('app/main.ts'));
    for (const [file, source] of Object.entries(sources)) {
      const crude = source.split('\n').filter((line) => /^import\b(?!\()|^(export .*|\} )from '/.test(line));
      // A statement over several lines shows its first line and its last.
      const long = source.split('\n').filter((line) => /^import (type )?([\w$]+, )?\{$/.test(line));
      const found = importsOf(source).filter(({ isCall }) => !isCall);
      assert.equal(found.length, crude.length - long.length, `${file}: the pattern misses an import, or sees too many`);
    }
  });

  test('reads every form of import', () => {
    const source = [
      "import one from './one.ts';",
      "import type { Two } from './two.ts';",
      'import {\n  three,\n  type Four,\n} from "./three.ts";',
      "import * as five from 'five';",
      "import './six.ts';",
      "export { seven } from './seven.ts';",
      "export type { Eight } from './eight.ts';",
      "export * from './nine.ts';",
      "const ten = await import('./ten.ts');",
      "type Eleven = import('./eleven.ts').Eleven;",
      "import twelve, { type Thirteen } from './twelve.ts';",
      "export const not = 'an import';",
    ].join('\n');
    assert.deepEqual(
      importsOf(source).map(({ from, isType }) => `${from}${isType ? ' type' : ''}`),
      [
        './one.ts',
        './two.ts type',
        './three.ts',
        'five',
        './six.ts',
        './seven.ts',
        './eight.ts type',
        './nine.ts',
        './twelve.ts',
        './ten.ts',
        './eleven.ts',
      ],
    );
  });

  test('refuses an import that the map does not allow, and says which are', () => {
    const [problem] = mapProblems({ 'app/llm/openai.ts': "\nimport { x } from '../memory/keys.ts';" });
    assert.match(
      problem ?? '',
      /^app\/llm\/openai\.ts:2 imports app\/memory\/keys\.ts, but llm may import only: message,/,
    );
  });

  test('takes types for imports, too', () => {
    assert.equal(mapProblems({ 'app/media/a.ts': "import type { X } from '../llm/model.ts';" }).length, 1);
    assert.equal(mapProblems({ 'app/media/a.ts': "type X = import('../llm/model.ts').X;" }).length, 1);
  });

  test('lets everyone have the words, its own files, and what the map allows; wire has everything', () => {
    const allowed = {
      'app/conversation/turn.ts':
        "import '../errors.ts';\nimport '../privacy/scrub.ts';\nimport './retries.ts';\nimport '../channels/channel.ts';\nimport 'zod';",
      'app/wire/app.ts': "import '../simulator/simulator.ts';\nimport '../embedded/redis.ts';",
      'app/main.ts': "import './wire/app.ts';\nimport './config.ts';\nimport './ops/logger.ts';",
      'app/web/list.tsx': "import type { Row } from '../inbox/contract.ts';",
      'test/llm/openai.test.ts': "import '../../app/memory/keys.ts';",
    };
    assert.deepEqual(mapProblems(allowed), []);
  });

  test('does not let the page have more of the inbox than types of its contract', () => {
    assert.equal(mapProblems({ 'app/web/list.tsx': "import { row } from '../inbox/contract.ts';" }).length, 1);
    assert.equal(mapProblems({ 'app/web/list.tsx': "import type { Row } from '../inbox/routes.ts';" }).length, 1);
  });

  test('refuses a place that is not on the map, and an app that needs the tests', () => {
    assert.match(mapProblems({ 'app/news/feed.ts': '' })[0] ?? '', /app\/news is not on the map/);
    assert.match(mapProblems({ 'app/wire/app.ts': "import '../../test/doubles/model.ts';" })[0] ?? '', /outside app\//);
  });

  test('refuses a package away from its door, also by a path inside it', () => {
    const [problem] = doorProblems({ 'app/conversation/answer.ts': "import type { X } from 'openai/resources';" });
    assert.match(
      problem ?? '',
      /^app\/conversation\/answer\.ts:1 imports openai\/resources, whose door is app\/llm\/openai/,
    );
    assert.equal(doorProblems({ 'app/outbound/split.ts': "import twilio from 'twilio';" }).length, 1);
    assert.equal(doorProblems({ 'app/archive/engine/a.ts': "import pg from 'pg';" }).length, 0);
    assert.equal(doorProblems({ 'app/wire/app.ts': "import { spawn } from 'node:child_process';" }).length, 1);
    assert.equal(doorProblems({ 'app/wire/app.ts': "import { spawn } from 'child_process';" }).length, 1);
    assert.equal(
      doorProblems({ 'app/media/a.ts': "const { createRequire } = await import('node:module');" }).length,
      1,
    );
  });

  test('finds circles of any length, through types, too, and names each once', () => {
    const circle = {
      'app/a/one.ts': "import type { Two } from './two.ts';",
      'app/a/two.ts': "import { three } from './three.ts';",
      'app/a/three.ts': "export * from './one.ts';",
      'app/a/four.ts': "import './one.ts';",
    };
    const problems = circleProblems(circle);
    assert.equal(problems.length, 1);
    assert.match(problems[0] ?? '', /app\/a\/one\.ts → app\/a\/two\.ts → app\/a\/three\.ts → app\/a\/one\.ts/);
    assert.deepEqual(circleProblems({ ...circle, 'app/a/three.ts': '' }), []);
  });

  test('finds the environment however it is read, but not in comments', () => {
    const found = (source: string, file = 'app/llm/a.ts') => environmentProblems({ [file]: source }).length;
    assert.equal(found('const x = process.env.HOME;'), 1);
    assert.equal(found("const x = process['env'];"), 1);
    assert.equal(found('const { env } = process;'), 1);
    assert.equal(found("import { env } from 'node:process';"), 1);
    assert.equal(found('const x = "https://a.example/*"; use(process.env); // */'), 1);
    assert.equal(found('/** Not process.env. */\n// nor process.env\nprocess.exit(1);'), 0);
    assert.equal(found('process.env.HOME;', 'app/main.ts'), 0);
    assert.equal(found('process.env.HOME;', 'test/llm/a.test.ts'), 0);
  });

  test('counts the lines of a function without those of the functions inside it', () => {
    const inner = [
      '  async function inner(',
      '    one: string,',
      '  ): Promise<void> {',
      ...Array(70).fill('    x();'),
      '  }',
    ];
    const source = ['export function outer() {', '  return inner;', ...inner, '}'].join('\n');
    assert.deepEqual(functionsIn(source), [
      { line: 1, ownLines: 5 },
      { line: 5, ownLines: 72 },
    ]);
    assert.equal(lengthProblems({ 'app/llm/a.ts': source }).length, 1);
    assert.equal(lengthProblems({ 'app/web/a.ts': source }).length, 0);
    const imports = Array.from({ length: 21 }, (_, i) => `import './${i}.ts';`).join('\n');
    assert.equal(wireProblems({ 'app/wire/a.ts': imports }).length, 1);
    assert.equal(wireProblems({ 'app/llm/a.ts': imports }).length, 0);
  });

  test('refuses relative imports without the ending of a source, and names that say nothing', () => {
    assert.equal(
      endingProblems({ 'app/a.ts': "import './b';\nimport './c.js';\nimport './d.ts';\nimport 'e';" }).length,
      2,
    );
    assert.equal(
      nameProblems({ 'app/llm/utils.ts': '', 'app/common/a.ts': '', 'test/string-helpers.ts': '' }).length,
      3,
    );
    assert.equal(nameProblems({ 'app/llm/retry.ts': '', 'app/commonwealth/a.ts': '' }).length, 0);
  });
});

function wireProblems(files: Sources): string[] {
  return inApp(files)
    .filter(([file, source]) => file.startsWith('app/wire/') && importsOf(source).length > MOST_IMPORTS)
    .map(([file]) => `${file} imports more than ${MOST_IMPORTS} files. Join some of them in a file of their own.`);
}

function lengthProblems(files: Sources): string[] {
  return inApp(files)
    .filter(([file]) => file.endsWith('.ts') && !file.startsWith('app/web/'))
    .flatMap(([file, source]) =>
      functionsIn(source)
        .filter(({ ownLines }) => ownLines > MOST_LINES)
        .map(
          ({ line, ownLines }) =>
            `${file}:${line} has a function of ${ownLines} lines. Split it, at most ${MOST_LINES}.`,
        ),
    );
}

/** Each file of `wire/`. */
const MOST_IMPORTS = 20;
/** Of a function, without the functions inside it. */
const MOST_LINES = 60;

interface FunctionLines {
  line: number;
  /** Without the lines of the functions inside it. */
  ownLines: number;
}

/** A function begins in a line that ends in `{` and ends at the next `}` of the same indentation: that is how the formatter writes it. */
function functionsIn(source: string): FunctionLines[] {
  const lines = source.split('\n');
  const spans = lines.flatMap((text, start) => {
    if (!BEGINS_FUNCTION.test(text) || NO_FUNCTION.test(text)) return [];
    const indent = /^ */.exec(text)?.[0] ?? '';
    const end = lines.findIndex((other, i) => i > start && other.startsWith(`${indent}}`));
    return end === -1 ? [] : [{ start, end }];
  });
  return spans.map(({ start, end }) => {
    const inside = spans.filter((other) => other.start > start && other.end <= end);
    const covered = new Set(
      inside.flatMap((one) => Array.from({ length: one.end - one.start + 1 }, (_, i) => one.start + i)),
    );
    return { line: start + 1, ownLines: end - start + 1 - covered.size };
  });
}

const BEGINS_FUNCTION = /\bfunction\b.*\{$|=> \{$|^ *(?:async )?(?:get )?\w+\(.*\{$|^ *\)(?:: .*)? \{$|^ *\}: .*\{$/;
const NO_FUNCTION = /^ *(?:\} )?(?:if|for|while|switch|catch|else)\b/;

function holds(problems: string[]): void {
  assert.ok(problems.length === 0, `\n\n${problems.join('\n\n')}\n`);
}

interface Import {
  from: string;
  line: number;
  isType: boolean;
  /** `import('…')`, as a value or in a type. */
  isCall: boolean;
}

function importsOf(source: string): Import[] {
  const lineAt = (index: number) => source.slice(0, index).split('\n').length;
  const statements =
    /^(?:import|export)\s+(?<type>type\s+)?(?:(?:[\w$*{},\s]+?\s+from\s+)|(?<=import\s+))(['"])(?<from>[^'"\n]+)\2/gm;
  const calls = /\bimport\(\s*(['"`])(?<from>[^'"`]+)\1/g;
  return [
    ...[...source.matchAll(statements)].map((found) => ({ found, isType: Boolean(found.groups?.type), isCall: false })),
    ...[...source.matchAll(calls)].map((found) => ({ found, isType: false, isCall: true })),
  ].map(({ found, ...rest }) => ({ ...rest, from: found.groups?.from ?? '', line: lineAt(found.index) }));
}

function mapProblems(files: Sources): string[] {
  return inApp(files).flatMap(([file, source]) => {
    const place = placeOf(file);
    const allowed = MAP[place];
    if (!allowed)
      return [
        `app/${place} is not on the map. Add it to MAP in test/architecture.test.ts and to app/README.md, with what it may import.`,
      ];
    return relativeImports(file, source).flatMap(({ target, line, isType }) => {
      const where = `${file}:${line} imports ${target}`;
      if (!target.startsWith('app/')) return [`${where}, which is outside app/. Move what both need into app/.`];
      const name = target.slice('app/'.length).replace(/\.tsx?$/, '');
      if (place === 'web' && TYPES_ONLY.includes(name) && !isType)
        return [`${where}, of which the pages may import only types: write "import type".`];
      return mayImport(place, allowed, name)
        ? []
        : [`${where}, but ${place} may import only: ${[...WORDS, ...allowed].join(', ')}.\n${WAYS_OUT}`];
    });
  });
}

const WAYS_OUT =
  'Hand it in from app/wire/ (createX({ tool })), or move what both need to a place that both may import. ' +
  'If the map is wrong, change it here and in app/README.md.';

function mayImport(place: string, allowed: string[] | 'everything', name: string): boolean {
  if (allowed === 'everything') return true;
  return [place, ...WORDS, ...allowed].some((entry) => name === entry || name.startsWith(`${entry}/`));
}

function doorProblems(files: Sources): string[] {
  return inApp(files).flatMap(([file, source]) =>
    importsOf(source).flatMap(({ from, line }) => {
      if (/^(node:)?module$/.test(from))
        return [`${file}:${line} imports ${from}, which could open any door. Use import.`];
      const doors = DOORS[packageOf(from)];
      if (!doors || doors.some((door) => file.startsWith(`app/${door}/`) || file === `app/${door}.ts`)) return [];
      const places = doors.map((door) => `app/${door}`).join(', ');
      return [
        `${file}:${line} imports ${from}, whose door is ${places}. Give that place a function for what you need.`,
      ];
    }),
  );
}

/** The package that a specifier is of; Node's own modules with their prefix. */
function packageOf(from: string): string {
  const name = from
    .split('/')
    .slice(0, from.startsWith('@') ? 2 : 1)
    .join('/');
  return `node:${name}` in DOORS ? `node:${name}` : name;
}

function circleProblems(files: Sources): string[] {
  const edges = new Map(
    Object.entries(files).map(([file, source]) => [file, relativeImports(file, source).map(({ target }) => target)]),
  );
  const done = new Set<string>();
  const problems: string[] = [];
  const visit = (file: string, trail: string[]): void => {
    const start = trail.indexOf(file);
    if (start !== -1) {
      const circle = [...trail.slice(start), file].join(' → ');
      problems.push(`A circle: ${circle}\nMove what both need into a file of its own, or hand it in as an argument.`);
      return;
    }
    if (done.has(file)) return;
    for (const target of edges.get(file) ?? []) visit(target, [...trail, file]);
    done.add(file);
  };
  for (const file of edges.keys()) visit(file, []);
  return problems;
}

function environmentProblems(files: Sources): string[] {
  const reads = /\bprocess\s*(\.\s*|\?\.\s*|\[\s*['"`])env\b|\benv\b[^;=]*\}\s*(=\s*process\b|from 'node:process')/;
  return inApp(files)
    .filter(([file, source]) => file !== 'app/main.ts' && reads.test(withoutComments(source)))
    .map(
      ([file]) => `${file} reads the environment. Add a row to SETTINGS in app/config.ts and have the value handed in.`,
    );
}

/** Strings stay: what looks like a comment in them is none. */
function withoutComments(source: string): string {
  const strings = /"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'|`(?:\\.|[^`\\])*`/;
  const comments = /\/\*[\s\S]*?\*\/|\/\/.*$/;
  return source.replace(new RegExp(`(${strings.source})|${comments.source}`, 'gm'), '$1');
}

function endingProblems(files: Sources): string[] {
  return Object.entries(files).flatMap(([file, source]) =>
    relativeImports(file, source)
      .filter(({ target }) => !/\.(ts|tsx|mjs|json|css)$/.test(target))
      .map(
        ({ target, line }) => `${file}:${line} imports ${target}: write the name of the source with its ending, .ts.`,
      ),
  );
}

function nameProblems(files: Sources): string[] {
  const empty = /(^|\/|-)(utils?|helpers?|common|misc)(-|\/|\.)/;
  return Object.keys(files)
    .filter((file) => empty.test(file))
    .map((file) => `${file}: name it after what it gives, or put what is in it where it is used.`);
}

function relativeImports(file: string, source: string) {
  return importsOf(source)
    .filter(({ from }) => from.startsWith('.'))
    .map((found) => ({ ...found, target: join(dirname(file), found.from) }));
}

/** `app/llm/openai.ts` → `llm`, `app/main.ts` → `main`. */
function placeOf(file: string): string {
  const [first = '', ...rest] = file.slice('app/'.length).split('/');
  return rest.length === 0 ? basename(first, '.ts') : first;
}

function inApp(files: Sources): [string, string][] {
  return Object.entries(files).filter(([file]) => file.startsWith('app/'));
}

function readSources(...folders: string[]): Sources {
  const root = fileURLToPath(new URL('..', import.meta.url));
  const files = folders.flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' }).map((file) => join(folder, file)),
  );
  const ours = files.filter((file) => /\.tsx?$/.test(file) && !file.startsWith('test/fixtures/'));
  return Object.fromEntries(ours.map((file) => [file, readFileSync(join(root, file), 'utf8')]));
}
