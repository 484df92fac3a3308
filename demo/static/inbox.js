// The inbox page: newest first, codes made easy to copy.
import { el, t, time, post, watch } from "./dom.js";

const lists = { sms: document.getElementById("sms"), push: document.getElementById("push") };
const off = document.getElementById("switch");
const mute = document.getElementById("silence");
let centre = {};
let known = null;

function withCode(text) {
  const parts = text.split(/(\b\d{6}\b)/);
  return parts.map((part) => (/^\d{6}$/.test(part) ? el("strong", { class: "code" }, part) : part));
}

function message(kind, one) {
  const key = `${one.at} ${one.to ?? one.token}`;
  const fresh = known && !known.has(key);
  const text = kind === "sms" ? one.text : one.body;
  return el("li", { class: fresh ? "card new" : "card", "data-key": key },
    el("div", { class: "row spread" },
      el("small", {}, kind === "sms" ? one.to : t("Thiết bị", "Device")), el("small", {}, time(one.at))),
    one.title && el("strong", {}, one.title),
    el("div", {}, ...withCode(text)));
}

function draw(said) {
  for (const kind of ["sms", "push"]) {
    const none = el("li", { class: "soft" }, t("Chưa có tin nào.", "Nothing yet."));
    lists[kind].replaceChildren(...(said[kind].length ? said[kind].map((one) => message(kind, one)) : [none]));
  }
  known = new Set([...document.querySelectorAll("[data-key]")].map((node) => node.dataset.key));
  if (!off) return; // the cockpit shows the messages alone
  centre = { sms_down: said.sms_down, sms_silent: said.sms_silent };
  off.hidden = mute.hidden = false;
  off.textContent = centre.sms_down ? t("Bật lại tổng đài SMS", "Switch the SMS centre on")
    : t("Tắt tổng đài SMS", "Switch the SMS centre off");
  mute.textContent = centre.sms_silent ? t("Cho tổng đài trả lời lại", "Let the centre answer again")
    : t("Nhận tin mà không trả lời", "Take messages without a word");
}

const look = watch("/demo/inbox.json", 2, draw);
const change = (button, name) => button.addEventListener("click", async () => {
  await post("/demo/inbox/switch", { ...centre, [name]: !centre[name] });
  look();
});
if (off) {
  change(off, "sms_down");
  change(mute, "sms_silent");
}
