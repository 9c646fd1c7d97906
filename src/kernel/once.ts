/** What `make` returns, made when it is first asked for: a table of hundreds of names takes its time. */
export function once<T extends object | string>(make: () => T): () => T {
  let made: T | undefined;
  return () => {
    made ??= make();
    return made;
  };
}
