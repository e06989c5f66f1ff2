/** The terminal of `npm run chat`: answers appear above the line that is being written. */
import { createInterface, type Interface } from 'node:readline';

export interface Screen {
  /** A person sits at a keyboard; otherwise lines come from a pipe. */
  readonly interactive: boolean;
  /** What is written, until the end of the input or /quit, without empty lines. */
  lines(): AsyncIterable<string>;
  answer(text: string): void;
  typing(): void;
  /** Something about the conversation, less important than it. */
  note(text: string): void;
  /** Something that went wrong. */
  trouble(text: string): void;
  /** Ends `lines`. */
  close(): void;
}

/** Twilio's "typing…" disappears by itself after this time. */
const TYPING_MS = 25_000;

/** In a terminal a conversation with names and times; to a pipe only the answers as they are, and what went wrong to stderr. */
export function createScreen(name: string): Screen {
  const { stdin, stdout, stderr } = process;
  const pretty = Boolean(stdout.isTTY);
  const interactive = pretty && Boolean(stdin.isTTY);
  const paint = createPaint(pretty && !process.env.NO_COLOR);
  const reader = createInterface(interactive ? { input: stdin, output: stdout } : { input: stdin });
  const prompt = `      ${paint.cyan(name)} › `;
  const print = interactive ? aboveTheLine(reader) : (text: string) => void stdout.write(`${text}\n`);
  let typingEnds: NodeJS.Timeout | undefined;
  reader.setPrompt(prompt);

  return {
    interactive,
    async *lines() {
      if (interactive) reader.prompt();
      for await (const line of reader) {
        const text = line.trim();
        if (text === '/quit') return;
        if (interactive) reader.prompt();
        else if (pretty && text) print(`${prompt}${visible(text)}`);
        if (text) yield text;
      }
      // Ctrl-D leaves the cursor behind the prompt.
      if (interactive) stdout.write('\n');
    },
    answer(text) {
      if (interactive) noTyping();
      if (!pretty) return print(visible(text));
      const margin = '00:00 Recado › '.length;
      const rows = visible(text)
        .split('\n')
        .flatMap((line) => wrapped(line, stdout.columns - margin));
      const beside = rows.join(`\n${' '.repeat(margin)}`);
      print(`${paint.dim(clock())} ${paint.green('Recado')} › ${beside}`);
    },
    typing() {
      if (!interactive) return;
      clearTimeout(typingEnds);
      typingEnds = setTimeout(noTyping, TYPING_MS).unref();
      showPrompt(`${paint.dim('      Recado is typing…')}\n${prompt}`);
    },
    note(text) {
      if (pretty) print(paint.dim(text));
    },
    trouble(text) {
      if (pretty) print(paint.red(text));
      else stderr.write(`${text}\n`);
    },
    close: () => reader.close(),
  };

  function noTyping(): void {
    clearTimeout(typingEnds);
    if (reader.getPrompt() !== prompt) showPrompt(prompt);
  }

  function showPrompt(next: string): void {
    reader.setPrompt(next);
    reader.prompt(true);
  }
}

/** Prints above the prompt, and draws the prompt again below, with the text so far. */
function aboveTheLine(reader: Interface): (text: string) => void {
  let open = true;
  reader.once('close', () => {
    open = false;
  });
  return (text) => {
    if (!open) return void process.stdout.write(`${text}\n`);
    const prompt = reader.getPrompt();
    const written = reader.line;
    reader.write(null, { ctrl: true, name: 'e' });
    reader.write(null, { ctrl: true, name: 'u' });
    // Readline knows how many rows the prompt took: an empty one wipes them.
    reader.setPrompt('');
    reader.prompt();
    process.stdout.write(`${text}\n`);
    reader.setPrompt(prompt);
    reader.prompt();
    if (written) reader.write(written);
  };
}

function createPaint(colours: boolean) {
  const with_ = (code: number) => (text: string) => (colours ? `\u001b[${code}m${text}\u001b[0m` : text);
  return { dim: with_(2), red: with_(31), green: with_(32), cyan: with_(36) };
}

/** Without the characters that would steer the terminal. */
function visible(text: string): string {
  return text
    .replace(/\r\n?/g, '\n')
    .replace(/[\p{Cc}\u202a-\u202e\u2066-\u2069]/gu, (character) =>
      character === '\n' || character === '\t' ? character : '',
    );
}

/** The line in rows of a width, cut between words where there is one. */
function wrapped(line: string, width: number): string[] {
  const longest = Math.max(width, 20);
  const rows: string[] = [];
  let rest = line;
  while (rest.length > longest) {
    const space = rest.lastIndexOf(' ', longest);
    const cut = space > 0 ? space : longest;
    rows.push(rest.slice(0, cut));
    rest = rest.slice(space > 0 ? cut + 1 : cut);
  }
  return [...rows, rest];
}

/** `14:05` */
function clock(): string {
  return new Date().toTimeString().slice(0, 5);
}
