/** Files and choices as Meta has them: https://developers.facebook.com/docs/whatsapp/cloud-api/messages */
import type { Extra } from '../../message.ts';
import type { Scrubbed } from '../../privacy/scrub.ts';

/** https://developers.facebook.com/docs/whatsapp/cloud-api/messages/interactive-reply-buttons-messages */
const MOST_BUTTONS = 3;
const LONGEST_BUTTON = 20;

/** @param text '' only with a file */
export function extraBody(text: Scrubbed, extra: Extra): object {
  if (extra.kind === 'file') return fileBody(text, extra);
  const { choices, label } = extra;
  const areButtons =
    choices.length <= MOST_BUTTONS &&
    choices.every(({ title, description }) => title.length <= LONGEST_BUTTON && !description);
  const action = areButtons
    ? { buttons: choices.map(({ id, title }) => ({ type: 'reply', reply: { id, title } })) }
    : {
        button: label,
        sections: [{ rows: choices.map(({ id, title, description }) => rowOf(id, title, description)) }],
      };
  return {
    type: 'interactive',
    interactive: { type: areButtons ? 'button' : 'list', body: { text }, action },
  };
}

function rowOf(id: string, title: string, description: string | undefined): object {
  return { id, title, ...(description && { description }) };
}

/** A recording has no words beside it. */
function fileBody(text: Scrubbed, { type, link, filename }: Extract<Extra, { kind: 'file' }>): object {
  const caption = type === 'audio' || text === '' ? {} : { caption: text };
  const name = type === 'document' && filename ? { filename } : {};
  return { type, [type]: { link, ...caption, ...name } };
}
