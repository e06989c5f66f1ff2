/** How far another clock is ahead of one of ours, learnt from the times that the other side tells. */

export interface Offset {
  /** Ms; negative when the other clock is behind. Undefined before anything is known. */
  readonly ms: number | undefined;
  /** It is between these, ms. What is known already is changed no further than it has to be: a slow answer spoils nothing. */
  narrow(least: number, most: number): void;
}

export function createOffset(): Offset {
  let ms: number | undefined;
  return {
    get ms() {
      return ms;
    },
    narrow(least, most) {
      ms = Math.min(Math.max(ms ?? (least + most) / 2, least), most);
    },
  };
}
