// ALTCHA, version 2: a little work for this device, so that machines do not try passwords by the thousand.
// The rounds are WebCrypto's own; what is left is this loop. The package's widget would need a looser content
// policy than ours (its workers are made from text, its styles are inline), and its library is the server's half.
import { el, t } from "../static/dom.js";
import { call } from "./api.js";

const AT_ONCE = 8;
const bytes = (hex) => Uint8Array.from(hex.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
const hex = (raw) => Array.from(raw, (one) => one.toString(16).padStart(2, "0")).join("");

/** The counter whose derived key begins as asked; `counter` is 32 bits, big end first, after the nonce. */
export async function solve({ parameters, signature }) {
  const [kind, hash] = parameters.algorithm.split("/");
  if (kind !== "PBKDF2") throw new Error(`captcha: ${parameters.algorithm}`);
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
  for (let from = 0; ; from += AT_ONCE) {
    const tried = await Promise.all(Array.from({ length: AT_ONCE }, (_, i) => derive(from + i)));
    const found = tried.findIndex((one) => one.startsWith(parameters.keyPrefix));
    if (found >= 0) {
      const solution = { counter: from + found, derivedKey: tried[found], time: Math.round(performance.now() - began) };
      return btoa(JSON.stringify({ challenge: { parameters, signature }, solution }));
    }
  }
}

/** A line for a form: works by itself from the first touch on; `take` waits for the answer, each of which works once. */
export function captcha() {
  let solving = null;
  const said = el("output", { id: "f-captcha", name: "captcha" });
  const say = (text) => { said.textContent = text; };
  const start = () => {
    if (solving) return;
    say(t("Đang xác nhận bạn không phải là máy…", "Checking that you are not a machine…"));
    solving = call("GET", "/v1/captcha", { open: true }).then(solve);
    solving.then(() => say(t("✓ Đã xác nhận bạn không phải là máy", "✓ Checked: not a machine")), () => { solving = null; say(""); });
  };
  const take = async () => {
    start();
    const answer = await solving;
    solving = null;
    return answer;
  };
  const box = el("div", { class: "captcha soft" }, el("label", { for: "f-captcha" }, t("Mã xác thực", "Captcha")), said);
  say(t("Máy của bạn sẽ tự xác nhận, không phải gõ gì.", "Your device answers by itself, nothing to type."));
  return { box, start, take };
}
