/** The addresses that a name means; both lists may be empty when the name is known. */
export interface Addresses {
  readonly ipv4: readonly string[];
  readonly ipv6: readonly string[];
}

/** What one container can ask for. */
export interface NamesView {
  /**
   * @param name in lower case, without the dot at its end
   * @returns undefined when it is none of ours: it is then asked for elsewhere
   */
  lookup(name: string): Addresses | undefined;
  /** The full name of an address in normal form (`172.18.0.2`, `fd00::2`), without the dot at its end. */
  reverse(address: string): string | undefined;
  /** Servers for all other names, in the order they are asked; empty where nothing outside is to be reached. */
  readonly upstream: readonly string[];
}

/** Who asks is known by the address he asks from; undefined for strangers, who get no answer. */
export type Names = (asker: string) => NamesView | undefined;
