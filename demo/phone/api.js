// The API's client: proofs, the server's nonce, tokens that refresh themselves, problems as errors (RFC 9457).
import { lang, t } from "../static/dom.js";
import { solve } from "./captcha.js";
import { proof } from "./proof.js";
import { drop, get, put } from "./store.js";

export const device = new URLSearchParams(location.search).get("device") === "2" ? 2 : 1;
export const publicUrl = document.getElementById("screen").dataset.publicUrl;
const calls = document.getElementById("calls");
let nonce = null;

/** What went wrong, in the server's own words: `code` is stable, `title` and `detail` are for people. */
export class Problem extends Error {
  constructor(said, status) {
    super(said.title);
    Object.assign(this, { status, code: "unreachable" }, said);  // and `wait`, the seconds after which to try again
  }
}

export const session = () => get(`${device}/session`);
export const forget = () => drop(`${device}/session`);
export const keep = (granted) =>
  put(`${device}/session`, { ...granted, until: Date.now() + granted.expires_in * 1000 });

/** One call. Signs it, sends it, and tries again once for a nonce and once with a fresh token. */
export async function call(method, path, { body, key, open = false } = {}) {
  let held = open ? null : await session();
  if (held && held.until - Date.now() < 5000) held = await refresh(held.access_token);
  let answer = await send(method, path, { body, key, held });
  if (answer.status === 401 && (await code(answer)) === "token_expired" && held) {
    held = await refresh(held.access_token);
    answer = await send(method, path, { body, key, held });
  }
  if (answer.status === 429 && (await code(answer)) === "captcha_required") {
    const { challenge } = await problemOf(answer); // strangers ask a lot: this device works a little, by itself
    answer = await send(method, path, { body: { ...body, captcha: await solve(challenge) }, key, held });
  }
  if (answer.ok) return answer.status === 204 ? null : answer.json();
  throw new Problem(await problemOf(answer), answer.status);
}

async function send(method, path, { body, key, held }, again = true) {
  const url = publicUrl + path;
  const headers = { Accept: "application/json", "Accept-Language": lang };
  const scheme = held?.token_type ?? "DPoP";
  if (scheme === "DPoP") headers.DPoP = await proof(device, method, url.split("?")[0], held?.access_token, nonce);
  if (held) headers.Authorization = `${scheme} ${held.access_token}`;
  if (body !== undefined) headers["Content-Type"] = "application/json";
  if (key) headers["Idempotency-Key"] = key;
  let answer;
  try {
    answer = await fetch(url, { method, headers, body: body === undefined ? undefined : JSON.stringify(body) });
  } catch {
    throw new Problem({ title: t("Không kết nối được với máy chủ", "The server cannot be reached") }, 0);
  }
  note(method, path, answer.status);
  nonce = answer.headers.get("DPoP-Nonce") ?? nonce;
  if (again && answer.status === 401 && (await code(answer)) === "use_dpop_nonce")
    return send(method, path, { body, key, held }, false);
  return answer;
}

/** A fresh token; only one tab asks, the others take what it got. */
const refresh = (old) =>
  navigator.locks.request(`ngomon-refresh-${device}`, async () => {
    const held = await session();
    if (!held || held.access_token !== old) return held;
    const answer = await send("POST", "/v1/token", { body: { refresh_token: held.refresh_token } });
    if (!answer.ok) throw new Problem(await problemOf(answer), answer.status);
    await keep((await answer.json()).session);
    return session();
  });

const code = async (answer) => (await problemOf(answer.clone())).code;

async function problemOf(answer) {
  try {
    return { ...await answer.json(), wait: Number(answer.headers.get("Retry-After")) };
  } catch {
    return { title: t("Máy chủ trả lời không đúng", "The server's answer is not understood"), code: "unreadable" };
  }
}

function note(method, path, status) {
  const line = document.createElement("li");
  line.textContent = `${method} ${path.split("?")[0]} → ${status}`;
  calls.prepend(line);
  if (calls.children.length > 12) calls.lastChild.remove();
}
