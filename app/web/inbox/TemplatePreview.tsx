import type { Template } from '../../inbox/contract.ts';
import { Bubble } from '../parts/Bubble.tsx';
import { Icon, type IconName } from '../parts/Icon.tsx';
import { WhatsAppText } from '../parts/WhatsAppText.tsx';
import classes from './Templates.module.css';
import { fileOfHeader, filledIn, type Values } from './templates.ts';

const DRAWINGS: Readonly<Record<string, IconName>> = { picture: 'picture', video: 'play', document: 'document' };

/** As the person will see it. A file is named, not fetched: it is somewhere else. */
export function TemplatePreview({ template, values }: { template: Template; values: Values }) {
  const { header, body, footer, buttons } = template;
  const file = fileOfHeader(template);
  return (
    <section className={classes.preview} aria-label="Preview">
      <ul className={classes.plain}>
        <Bubble mine by="They will read" at={Date.now()} first room>
          {file && (
            <span className={classes.file}>
              <Icon name={DRAWINGS[file.kind] ?? 'document'} size={26} />
              {values.get(file.variable)?.trim() || `The ${file.kind}`}
            </span>
          )}
          {header !== null && !file && (
            <strong className={classes.header} dir="auto">
              {filledIn(header, values)}
            </strong>
          )}
          <div className={footer === null ? undefined : classes.above}>
            <WhatsAppText text={filledIn(body, values)} />
          </div>
          {footer !== null && (
            <small className={classes.footer} dir="auto">
              {filledIn(footer, values)}
            </small>
          )}
        </Bubble>
        {buttons.map((title, i) => (
          // Their order is their name.
          // biome-ignore lint/suspicious/noArrayIndexKey: two may have the same title
          <li key={i} className={classes.button} dir="auto">
            {filledIn(title, values)}
          </li>
        ))}
      </ul>
    </section>
  );
}
