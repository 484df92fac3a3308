// The captcha as a line of a form. The package's widget would need a looser content policy than ours (its workers are
// made from text, its styles are inline), and its library is the server's half.
import { el, t } from "../static/dom.js";
import { call } from "./api.js";
import { solve } from "./client/index.js";

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
