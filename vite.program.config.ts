/**
 * Puts the program and the packages that it starts with into few files, over what the compiler wrote to `dist/app/main.js`: 1,400 files
 * take half a second to find and read. Scripts go on with files of their own.
 */
import { relative, resolve } from 'node:path';
import { defineConfig, type Plugin } from 'vite';

const APP = resolve('app');
const PACKAGES = 'packages';

/** Loaded later, or with files of their own beside them: these stay where they are. */
const APART =
  /^(?:sharp|bullmq|file-type|chrono-node|pg-native|@electric-sql\/pglite)(?:\/|$)|^twilio\/lib\/(?:rest|base)\//;
/** Loaded later in full, a part of them at once. The part must be the same for both, so they are not in one file with the others. */
const IN_PARTS = /node_modules\/(?:openai|undici|zod\/v3)\//;

/** A module finds its files (scripts, pages) beside where the compiler puts it. */
const placesStay: Plugin = {
  name: 'places-stay',
  enforce: 'pre',
  transform(code, id) {
    if (!id.startsWith(APP) || !code.includes('import.meta.url')) return null;
    const place = relative(APP, id).replace(/\.ts$/, '.js');
    return { code: code.replaceAll('import.meta.url', `new URL('./${place}', import.meta.url).href`), map: null };
  },
};

/**
 * With source maps, Node holds every mapping in memory after the first error: one for each line is enough, and none for packages.
 * The sources are not repeated either.
 */
const leanMaps: Plugin = {
  name: 'lean-maps',
  generateBundle(_, files) {
    for (const file of Object.values(files)) {
      if (file.type !== 'asset' || !file.fileName.endsWith('.map')) continue;
      const map: { mappings: string; sourcesContent?: string[] } = JSON.parse(String(file.source));
      delete map.sourcesContent;
      map.mappings = file.fileName.includes(PACKAGES) ? '' : firstOfEachLine(map.mappings);
      file.source = JSON.stringify(map);
    }
  },
};

const DIGITS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';

/** Segments are differences to the one before, as base64 VLQ: column, source, line and column there, name. https://tc39.es/ecma426/ */
function firstOfEachLine(mappings: string): string {
  const read = [0, 0, 0, 0, 0];
  let written = [0, 0, 0, 0];
  const lines = mappings.split(';').map((line) => {
    read[0] = 0;
    let first: number[] | undefined;
    for (const segment of line.split(',')) {
      const differences = numbersIn(segment);
      differences.forEach((difference, field) => {
        read[field] = (read[field] ?? 0) + difference;
      });
      if (differences.length >= 4) first ??= read.slice(0, 4);
    }
    if (!first) return '';
    const differences = first.map((value, field) => (field === 0 ? value : value - (written[field] ?? 0)));
    written = first;
    return differences.map(digitsOf).join('');
  });
  return lines.join(';');
}

function numbersIn(segment: string): number[] {
  const numbers: number[] = [];
  let value = 0;
  let shift = 0;
  for (const character of segment) {
    const digit = DIGITS.indexOf(character);
    value += (digit & 31) << shift;
    shift += 5;
    if (digit & 32) continue;
    numbers.push(value & 1 ? -(value >> 1) : value >> 1);
    value = 0;
    shift = 0;
  }
  return numbers;
}

function digitsOf(number: number): string {
  let digits = '';
  let rest = number < 0 ? (-number << 1) | 1 : number << 1;
  do {
    const digit = rest & 31;
    rest >>= 5;
    digits += DIGITS[rest > 0 ? digit | 32 : digit];
  } while (rest > 0);
  return digits;
}

export default defineConfig({
  plugins: [placesStay, leanMaps],
  ssr: { noExternal: true, target: 'node' },
  build: {
    ssr: 'app/main.ts',
    outDir: 'dist/app',
    emptyOutDir: false,
    copyPublicDir: false,
    target: 'node20',
    minify: false,
    sourcemap: true,
    rolldownOptions: {
      external: APART,
      output: {
        entryFileNames: 'main.js',
        // Flat, so that all of them are as far from `dist/app` as `main.js` is.
        chunkFileNames: 'part-[name].js',
        codeSplitting: {
          groups: [{ name: PACKAGES, test: (id) => id.includes('node_modules/') && !IN_PARTS.test(id) }],
        },
      },
      // depd has its reasons for it.
      onwarn: (warning, warn) => warning.code !== 'EVAL' && warn(warning),
    },
  },
});
