// Made by `make docs` from clients/typescript/src/proof.ts
export const bytes = (text) => new TextEncoder().encode(text);
const base64url = (raw) => btoa(String.fromCharCode(...raw)).replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");
const part = (value) => base64url(bytes(JSON.stringify(value)));
const digest = async (text) => base64url(new Uint8Array(await crypto.subtle.digest("SHA-256", bytes(text))));
/** The key kept as `key`; made once, and its private half can never be exported. */
export async function webKey(store) {
    let pair = (await store.get("key"));
    if (!pair) {
        pair = await crypto.subtle.generateKey({ name: "ECDSA", namedCurve: "P-256" }, false, ["sign"]);
        await store.put("key", pair);
    }
    const { privateKey, publicKey } = pair;
    const { x, y } = await crypto.subtle.exportKey("jwk", publicKey);
    if (!x || !y)
        throw new Error("the kept key is no P-256 key");
    return {
        jwk: { kty: "EC", crv: "P-256", x, y },
        sign: async (data) => new Uint8Array(await crypto.subtle.sign({ name: "ECDSA", hash: "SHA-256" }, privateKey, data)),
    };
}
/** RFC 7638: by this the server knows the device. */
export const thumbprint = ({ jwk: { crv, kty, x, y } }) => digest(JSON.stringify({ crv, kty, x, y }));
/** A proof for one call: `token` binds it to the access token, `nonce` is the server's where it asked for one. */
export async function proof(key, { method, url, token, nonce, now }) {
    const claims = { jti: crypto.randomUUID(), htm: method, htu: url, iat: Math.floor(now / 1000) };
    if (token)
        claims["ath"] = await digest(token);
    if (nonce)
        claims["nonce"] = nonce;
    const signed = `${part({ typ: "dpop+jwt", alg: "ES256", jwk: key.jwk })}.${part(claims)}`;
    return `${signed}.${base64url(await key.sign(bytes(signed)))}`;
}
