/** sharp, loaded with the first picture: 0.1 s and 10 MB that many processes never need. */
export async function loadSharp() {
  const { default: sharp } = await import('sharp');
  // Its own limits, for the whole process: no cache, and one thread for each picture.
  sharp.cache(false);
  sharp.concurrency(1);
  return sharp;
}
