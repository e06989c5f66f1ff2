/** Texts that were seen lately, by their whole words. */
export interface KnownTexts {
  has(text: string): boolean;
  add(text: string): void;
}

/**
 * Two generations, the older of which is forgotten when the younger is full: what is asked for again and again stays.
 * @param most characters of one generation, about
 */
export function createKnownTexts(most: number): KnownTexts {
  let young = new Set<string>();
  let old = new Set<string>();
  let length = 0;
  return { has, add };

  function has(text: string): boolean {
    if (young.has(text)) return true;
    if (!old.has(text)) return false;
    add(text);
    return true;
  }

  function add(text: string): void {
    if (length > most) {
      old = young;
      young = new Set();
      length = 0;
    }
    young.add(text);
    length += text.length;
  }
}
