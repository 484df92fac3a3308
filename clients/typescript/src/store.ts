/** Where the session and the key are kept. On a phone: the keystore, or IndexedDB, where a key cannot be read out. */
export interface Store {
  get(name: string): Promise<unknown>;
  put(name: string, value: unknown): Promise<unknown>;
  drop(name: string): Promise<unknown>;
}

/** Keeps everything until the program ends: for scripts and tests. */
export function memory(): Store {
  const kept = new Map<string, unknown>();
  return {
    get: async (name) => kept.get(name),
    put: async (name, value) => kept.set(name, value),
    drop: async (name) => kept.delete(name),
  };
}
