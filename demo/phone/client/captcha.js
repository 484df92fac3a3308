// Made by `make docs` from clients/typescript/src/captcha.ts
// ALTCHA, version 2: a little work for this device, so that machines do not try by the thousand.
// The rounds are WebCrypto's own; what is left is this loop.
const AT_ONCE = 8;
const bytes = (hex) => Uint8Array.from(hex.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
const hex = (raw) => Array.from(raw, (one) => one.toString(16).padStart(2, "0")).join("");
/**
 * The counter whose derived key begins as asked, as the field `captcha` takes it: base64 of `{challenge, solution}`.
 * The counter is 32 bits, big end first, after the nonce. A solution is good once, for five minutes.
 */
export async function solve({ parameters, signature }) {
    const [kind, hash] = parameters.algorithm.split("/");
    if (kind !== "PBKDF2" || !hash)
        throw new Error(`captcha: ${parameters.algorithm}`);
    const began = performance.now();
    const [nonce, salt] = [bytes(parameters.nonce), bytes(parameters.salt)];
    const derive = async (counter) => {
        const password = new Uint8Array(nonce.length + 4);
        password.set(nonce);
        new DataView(password.buffer).setUint32(nonce.length, counter);
        const key = await crypto.subtle.importKey("raw", password, "PBKDF2", false, ["deriveBits"]);
        const rounds = { name: "PBKDF2", hash, salt, iterations: parameters.cost };
        return hex(new Uint8Array(await crypto.subtle.deriveBits(rounds, key, parameters.keyLength * 8)));
    };
    for (let from = 0;; from += AT_ONCE) {
        const tried = await Promise.all(Array.from({ length: AT_ONCE }, (_, i) => derive(from + i)));
        const found = tried.findIndex((one) => one.startsWith(parameters.keyPrefix));
        if (found >= 0) {
            const solution = { counter: from + found, derivedKey: tried[found], time: Math.round(performance.now() - began) };
            return btoa(JSON.stringify({ challenge: { parameters, signature }, solution }));
        }
    }
}
