// The device's key and the proofs that it makes (DPoP, RFC 9449).
import type { Store } from "./store.js";

export interface PublicJwk {
  kty: "EC";
  crv: "P-256";
  x: string;
  y: string;
}

/** A P-256 key that never leaves the device: WebCrypto's, or one of a phone's keystore behind the same two members. */
export interface DeviceKey {
  jwk: PublicJwk;
  /** ECDSA with SHA-256; 64 bytes, r and s one after the other. */
  sign(data: Uint8Array<ArrayBuffer>): Promise<Uint8Array>;
}

export const bytes = (text: string): Uint8Array<ArrayBuffer> => new TextEncoder().encode(text) as Uint8Array<ArrayBuffer>;
const base64url = (raw: Uint8Array): string =>
  btoa(String.fromCharCode(...raw)).replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");
const part = (value: unknown): string => base64url(bytes(JSON.stringify(value)));
const digest = async (text: string): Promise<string> =>
  base64url(new Uint8Array(await crypto.subtle.digest("SHA-256", bytes(text))));

/** The key kept as `key`; made once, and its private half can never be exported. */
export async function webKey(store: Store): Promise<DeviceKey> {
  let pair = (await store.get("key")) as CryptoKeyPair | undefined;
  if (!pair) {
    pair = await crypto.subtle.generateKey({ name: "ECDSA", namedCurve: "P-256" }, false, ["sign"]);
    await store.put("key", pair);
  }
  const { privateKey, publicKey } = pair;
  const { x, y } = await crypto.subtle.exportKey("jwk", publicKey);
  if (!x || !y) throw new Error("the kept key is no P-256 key");
  return {
    jwk: { kty: "EC", crv: "P-256", x, y },
    sign: async (data) => new Uint8Array(await crypto.subtle.sign({ name: "ECDSA", hash: "SHA-256" }, privateKey, data)),
  };
}

/** RFC 7638: by this the server knows the device. */
export const thumbprint = ({ jwk: { crv, kty, x, y } }: DeviceKey): Promise<string> => digest(JSON.stringify({ crv, kty, x, y }));

export interface Proved {
  method: string;
  /** The public address, without query. */
  url: string;
  token?: string | undefined;
  nonce?: string | undefined;
  /** The server's time, in milliseconds. */
  now: number;
}

/** A proof for one call: `token` binds it to the access token, `nonce` is the server's where it asked for one. */
export async function proof(key: DeviceKey, { method, url, token, nonce, now }: Proved): Promise<string> {
  const claims: Record<string, unknown> = { jti: crypto.randomUUID(), htm: method, htu: url, iat: Math.floor(now / 1000) };
  if (token) claims["ath"] = await digest(token);
  if (nonce) claims["nonce"] = nonce;
  const signed = `${part({ typ: "dpop+jwt", alg: "ES256", jwk: key.jwk })}.${part(claims)}`;
  return `${signed}.${base64url(await key.sign(bytes(signed)))}`;
}
