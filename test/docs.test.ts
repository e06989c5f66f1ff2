/** What the documents say can be followed: links lead somewhere, scripts and settings exist. */
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path/posix';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { SETTINGS } from '../app/config.ts';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const DOCUMENTS = [
  'README.md',
  'CHANGELOG.md',
  'app/README.md',
  '.github/CONTRIBUTING.md',
  '.github/SECURITY.md',
  ...readdirSync(join(ROOT, 'docs')).flatMap((name) => (name.endsWith('.md') ? join('docs', name) : [])),
];

const read = (path: string) => readFileSync(join(ROOT, path), 'utf8');

/** Headings as GitHub makes anchors of them. */
function anchorsIn(markdown: string): Set<string> {
  const headings = [...markdown.matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) => heading.toLowerCase());
  return new Set(headings.map((heading) => heading.replace(/[^\p{L}\p{N}\s-]/gu, '').replace(/\s/g, '-')));
}

test('every link inside the project leads to a file, and to a heading of it', () => {
  for (const document of DOCUMENTS) {
    const text = read(document).replace(/```[\s\S]*?```/g, '');
    for (const [, target = ''] of text.matchAll(/\]\(([^)\s]+)\)/g)) {
      if (/^[a-z]+:/.test(target)) continue;
      const [path = '', anchor] = target.split('#');
      const file = path === '' ? document : join(dirname(document), path);
      assert.ok(existsSync(join(ROOT, file)), `${document} links to ${target}, which does not exist`);
      if (anchor !== undefined)
        assert.ok(anchorsIn(read(file)).has(anchor), `${document}: ${file} has no heading #${anchor}`);
    }
  }
});

test('every file, script and setting that a document names exists', () => {
  const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> }; // our own file
  for (const document of DOCUMENTS.filter((path) => path !== 'CHANGELOG.md')) {
    const text = read(document);
    for (const [, name = ''] of text.matchAll(/\bnpm run ([\w:-]+)/g))
      assert.ok(name in scripts, `${document} names npm run ${name}, which does not exist`);
    for (const [, path = ''] of text.matchAll(/`((?:app|test|scripts|docs)\/[\w./-]+\.\w+)`/g))
      assert.ok(existsSync(join(ROOT, path)), `${document} names ${path}, which does not exist`);
  }
  const compose = read('docker-compose.yml');
  const exists = (name: string) => name in SETTINGS || compose.includes(`\${${name}`);
  const docs = DOCUMENTS.filter((path) => path === 'README.md' || path.startsWith('docs/'));
  for (const document of docs) {
    for (const [, name = ''] of read(document).matchAll(/`([A-Z]{2,}(?:_[A-Z]+)+)(?:=[^`]*)?`/g))
      assert.ok(exists(name), `${document} names the setting ${name}, which does not exist`);
  }
});

test('the container is published to this machine alone, unless a setting says otherwise', () => {
  const published = [...read('docker-compose.yml').matchAll(/^ +- "([^"]*):3002"$/gm)].map(([, address]) => address);
  assert.match(published.join(), /^\$\{PUBLISH_ON:-127\.0\.0\.1\}:\$\{PORT:-3002\}$/);
});

test('the README is short, and has no number of a real person', () => {
  assert.ok(read('README.md').split('\n').length <= 130);
  for (const document of DOCUMENTS) {
    for (const [number] of read(document).matchAll(/\+\d{7,15}/g))
      assert.match(number, /^\+(1555010\d{4}|447700900\d{3}|14155238886)$/, `${document} has ${number}`);
  }
});
