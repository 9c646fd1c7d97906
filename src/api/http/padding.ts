import type { Head } from "./head.ts";

/** What Python's buffered readers ask a socket for (`io.DEFAULT_BUFFER_SIZE` of all versions before 3.14). */
const READ = 8192;
const NAME = "Cais-Padding";

/**
 * The head of an answer whose connection is taken over, for this client. Docker's client for Python goes on to read
 * from the socket itself, and loses what its HTTP library has read together with the head: an exec's whole output,
 * where that was there as soon as the head was. A head as long as a read leaves it nothing to lose.
 * @param answer ASCII, with the empty line at its end
 */
export function paddedFor({ headers }: Head, answer: string): string {
  // What Python's requests say of themselves, whoever uses them.
  if (!headers.get("accept-encoding")?.startsWith("gzip, deflate")) return answer;
  const others = answer.length + `${NAME}: \r\n`.length;
  return `${answer.slice(0, -2)}${NAME}: ${".".repeat(READ - (others % READ))}\r\n\r\n`;
}
