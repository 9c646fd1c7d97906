/** The engine's refusal of a request. */
export class EngineError extends Error {
  readonly status: number;
  constructor(status: number, message: string) {
    super(message);
    this.name = "EngineError";
    this.status = status;
  }
}

/** For people: who refused, and why. Status 0 is this program itself. */
export function toldBy(error: EngineError): string {
  return error.status === 0 ? error.message : `Error response from daemon: ${error.message}`;
}

/** Nobody answers at the engine's address. */
export class NoEngineError extends Error {
  readonly code: string;
  constructor(address: string, code: string) {
    super(`Cannot connect to the engine at ${address}: ${reasons[code] ?? code}`);
    this.name = "NoEngineError";
    this.code = code;
  }
}

const reasons: Readonly<Record<string, string>> = {
  ENOENT: "there is no such socket. Is the engine running?",
  ECONNREFUSED: "nothing listens there. Is the engine running?",
  EACCES: "permission denied. Run cais as root, or as a member of the socket's group",
};
