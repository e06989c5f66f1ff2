/** A file that waits to be sent. */
export interface Picked {
  key: string;
  file: File;
  /** For looking at it, while it waits. */
  url: string;
}
