// Made by `make docs` from clients/typescript/src/store.ts
/** Keeps everything until the program ends: for scripts and tests. */
export function memory() {
    const kept = new Map();
    return {
        get: async (name) => kept.get(name),
        put: async (name, value) => kept.set(name, value),
        drop: async (name) => kept.delete(name),
    };
}
