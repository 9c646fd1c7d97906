/**
 * Docker's place for questions about names, on each container's own loopback. Nobody listens there, so that a container
 * can have a server of its own on port 53: its kernel turns the packets (`wires/names.ts`) to the resolver on the
 * host, which hears those at a port apart. By that port the answers are known from those to whom asks at 53 there.
 */
export const ASKED = { address: "127.0.0.11", port: 53 } as const;
export const HEARD_PORT = 11_053;
