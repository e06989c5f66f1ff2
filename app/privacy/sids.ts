import { ALNUM, codeAt, HEX, isA, MARK, type View } from './decoded.ts';

/** A stretch of a `View`: from `from` up to, not including, `to`. */
export interface Stretch {
  kind: 'url' | 'path' | 'sid';
  from: number;
  to: number;
}

/**
 * What Twilio's identifiers begin with, after its glossary (https://www.twilio.com/docs/glossary/what-is-a-sid) and the
 * patterns in its OpenAPI files. `MM` and `ME` are not here: they count with any 32 letters or digits behind them.
 */
const PREFIXES = `
  AC AD AE AI AL AP AU BC BL BN BS BU CA CF CH CJ CL CM CN CP CR CT CV CY DC DE DG DN EA EH EL EQ ES ET EV EY
  FA FC FD FF FJ FN FO FT FU FV FW FX FZ GA GB GO GT GW HA HB HC HH HJ HK HS HX IA IG IM IN IP IS IT JS
  KA KC KD KI KP KR KS KT KU KV KX LK LV LY MB MF MG MO MP MT MV MX MZ NE NO NU OB OR OU PA PB PD PI PK PL PN PR PV
  QE QO QU RA RB RD RE RI RK RL RM RN RP RR RT SC SD SE SI SK SL SM SN SR SU TB TC TH TK TL TN TO TR
  UA UC UD UE UF UH UM UO US UT VA VC VE VI VJ VL VT VX WA WC WH WI WK WN WO WP WQ WR WS WT WU WW
  XA XB XC XD XE XF XH XR YB YC YE YF YK YW ZA ZB ZC ZD ZE ZF ZH ZN ZP ZS ZV
`;
const KNOWN = new Set(PREFIXES.trim().split(/\s+/).map(pair));
const MESSAGE = pair('MM');
const MEDIA = pair('ME');
/** Letters and digits behind the two letters. */
const BODY = 32;

/**
 * Finds Twilio's identifiers and overwrites them with `MARK`. What is around them does not matter, so that nothing
 * written close to one hides it, and overlapping ones are one stretch.
 * @returns in order, neither touching nor overlapping.
 */
export function takeSids(view: View): Stretch[] {
  const found: Stretch[] = [];
  let hexTo = 0;
  let alnumTo = 0;
  for (let at = 0; at + BODY + 2 <= view.length; at++) {
    const body = at + 2;
    // Both ends only move forward, so that each character is read once.
    hexTo = runEnd(view, Math.max(hexTo, body), HEX);
    alnumTo = runEnd(view, Math.max(alnumTo, hexTo), ALNUM);
    if (alnumTo < body + BODY || !isSid(view, at, hexTo >= body + BODY)) continue;
    const last = found.at(-1);
    if (last && last.to >= at) last.to = body + BODY;
    else found.push({ kind: 'sid', from: at, to: body + BODY });
  }
  for (const { from, to } of found) mark(view, from, to);
  return found;
}

/** A slash whose escape lent its last letter to an identifier (`%2FAC…` begins with `FA`, too) stays a slash. */
function mark(view: View, from: number, to: number): void {
  for (let i = from; i < to; i++) if (isA(view, i, ALNUM)) view.codes[i] = MARK;
}

/** A `%4` before `AC…` swallows the A; what an escape is written with counts as much as what it stands for. */
function isSid(view: View, at: number, hexBody: boolean): boolean {
  const second = codeAt(view, at + 1);
  const prefix = (codeAt(view, at) << 16) | second;
  if (prefix === MESSAGE || prefix === MEDIA) return true;
  return hexBody && (KNOWN.has(prefix) || KNOWN.has(((view.tails[at] ?? 0) << 16) | second));
}

function runEnd(view: View, from: number, kind: number): number {
  let end = from;
  while (isA(view, end, kind)) end++;
  return end;
}

/** Two characters as one number; no character of ours reaches the sign bit. */
function pair(letters: string): number {
  return (letters.charCodeAt(0) << 16) | letters.charCodeAt(1);
}
