/** The type that a file's bytes show (`image/png`), whatever its sender says; undefined when they are of no known kind. */
export async function typeOfBytes(bytes: Uint8Array): Promise<string | undefined> {
  // Loaded with the first file, so that the process starts sooner.
  const { fileTypeFromBuffer } = await import('file-type');
  return (await fileTypeFromBuffer(bytes))?.mime;
}
