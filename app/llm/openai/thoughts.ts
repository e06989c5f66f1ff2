/**
 * Models that think first write their thoughts in front of the answer. Servers should put them into a field of their own; many
 * leave them in the text, between tags, some without the first of them: https://docs.vllm.ai/en/latest/features/reasoning_outputs.html
 */

const NAME = '(?:[a-z]+:)?(?:think|thinking|thoughts?|reasoning|reflection|scratchpad)';

/** Code first: a tag in backticks is one that the answer talks about. */
const TAGS = new RegExp(
  [
    '`[^`\\n]*`',
    `<(?<close>/?)${NAME}(?:\\s[^<>]*)?>`,
    `\\[(?<closeBracket>/?)${NAME}\\]`,
    `◁(?<closeKimi>/?)${NAME}▷`,
    '<\\|(?:begin|(?<end>end))_of_thought\\|>',
  ].join('|'),
  'giu',
);

/**
 * The answer alone: what stands outside of thoughts. Thoughts that do not end take the rest with them; an end without a beginning
 * takes what is in front of it.
 * @returns '' when there is nothing but thoughts
 */
export function withoutThoughts(text: string): string {
  return withoutTags(finalChannel(text)).replace(CONTROL_TOKENS, '');
}

function withoutTags(text: string): string {
  let answer = '';
  let from = 0;
  let thinking = false;
  for (const { index, 0: tag, groups = {} } of text.matchAll(TAGS)) {
    if (tag.startsWith('`')) continue;
    const ends = Boolean(groups.close || groups.closeBracket || groups.closeKimi || groups.end);
    if (ends && !thinking) answer = '';
    if (!ends && !thinking) answer += text.slice(from, index);
    thinking = !ends;
    from = index + tag.length;
  }
  return thinking ? answer : answer + text.slice(from);
}

/** The format of gpt-oss: each message names its channel, and only `final` is for people. https://github.com/openai/harmony */
function finalChannel(text: string): string {
  if (/<\|channel\|>/i.test(text)) {
    const final = text.split(/<\|channel\|>\s*final\b[\s\S]{0,100}?<\|message\|>/i).at(-1) ?? '';
    return final === text ? '' : (final.split(/<\|(?:end|return|call|start|channel)\|>/i, 1)[0] ?? '');
  }
  // The same after a server dropped the marks and left the words between them.
  const [, final] = /^\s*analysis[\s\S]*assistantfinal([\s\S]*)$/.exec(text) ?? [];
  return final ?? text;
}

/** What ends a message in the templates of models, left over at its beginning or end. */
const CONTROL_TOKENS = /^(?:\s*<\|[a-z_]+\|>)+|(?:(?:<\|[a-z_]+\|>|<\/s>|<end_of_turn>)\s*)+$/gi;
