import { type ReactNode, useMemo } from 'react';
import classes from './WhatsAppText.module.css';
import { type Block, type Inline, readWhatsAppText } from './whatsapp-text.ts';

/** A text with WhatsApp's formatting, as elements: no part of it is ever read as HTML. */
export function WhatsAppText({ text }: { text: string }) {
  const blocks = useMemo(() => readWhatsAppText(text), [text]);
  return <div className={classes.text}>{blocks.map(showBlock)}</div>;
}

// A text never changes its parts, so that their place is their name. Each block has the direction of its own words.
function showBlock(block: Block, key: number): ReactNode {
  switch (block.kind) {
    case 'paragraph':
      return (
        <p key={key} dir="auto">
          {showLines(block.lines)}
        </p>
      );
    case 'quote':
      return (
        <blockquote key={key} dir="auto">
          {showLines(block.lines)}
        </blockquote>
      );
    case 'code':
      return <pre key={key}>{block.text}</pre>;
    case 'list': {
      const items = block.items.map((item, i) => <li key={keyOf(i)}>{item.map(showInline)}</li>);
      return block.start === null ? (
        <ul key={key} dir="auto">
          {items}
        </ul>
      ) : (
        <ol key={key} dir="auto" start={block.start}>
          {items}
        </ol>
      );
    }
  }
}

function showLines(lines: Inline[][]): ReactNode {
  return lines.flatMap((line, i) =>
    i === 0 ? line.map(showInline) : ['\n', ...line.map((piece, n) => showInline(piece, i * 10_000 + n))],
  );
}

function showInline(piece: Inline, key: number): ReactNode {
  switch (piece.kind) {
    case 'text':
      return piece.text;
    case 'code':
      return <code key={key}>{piece.text}</code>;
    case 'link':
      return (
        <a key={key} href={piece.href} target="_blank" rel="noopener noreferrer nofollow">
          {piece.text}
        </a>
      );
    case 'bold':
      return <strong key={key}>{piece.inside.map(showInline)}</strong>;
    case 'italic':
      return <em key={key}>{piece.inside.map(showInline)}</em>;
    case 'strike':
      return <s key={key}>{piece.inside.map(showInline)}</s>;
  }
}

function keyOf(place: number): string {
  return String(place);
}
