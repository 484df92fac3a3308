// The device's key and the proofs that it makes (RFC 9449).
import { get, put } from "./store.js";

const bytes = (text) => new TextEncoder().encode(text);
const base64url = (raw) =>
  btoa(String.fromCharCode(...new Uint8Array(raw))).replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");
const part = (value) => base64url(bytes(JSON.stringify(value)));

/** The P-256 key of phone number `device`; made once, and its private half can never be exported. */
export async function deviceKey(device) {
  const kept = await get(`${device}/key`);
  if (kept) return kept;
  const made = await crypto.subtle.generateKey({ name: "ECDSA", namedCurve: "P-256" }, false, ["sign"]);
  await put(`${device}/key`, made);
  return made;
}

/** A proof for one call: `token` binds it to the access token, `nonce` is the server's when it asked for one. */
export async function proof(device, method, url, token, nonce) {
  const { publicKey, privateKey } = await deviceKey(device);
  const { kty, crv, x, y } = await crypto.subtle.exportKey("jwk", publicKey);
  const claims = { jti: crypto.randomUUID(), htm: method, htu: url, iat: Math.floor(Date.now() / 1000) };
  if (token) claims.ath = base64url(await crypto.subtle.digest("SHA-256", bytes(token)));
  if (nonce) claims.nonce = nonce;
  const signed = `${part({ typ: "dpop+jwt", alg: "ES256", jwk: { kty, crv, x, y } })}.${part(claims)}`;
  const signature = await crypto.subtle.sign({ name: "ECDSA", hash: "SHA-256" }, privateKey, bytes(signed));
  return `${signed}.${base64url(signature)}`;
}
