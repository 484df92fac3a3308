// The few pieces that every screen is built from.
import { el, t } from "../static/dom.js";

const place = document.getElementById("screen");
let leave = () => {};

/** Puts a screen up. `title` is its heading; the rest are its parts. Focus goes to the top of it. */
export function show(title, ...parts) {
  leave();
  leave = () => {};
  place.replaceChildren(el("h2", { tabindex: "-1" }, title), ...[greeting(), ...parts].flat().filter(Boolean));
  place.scrollTop = 0;
  place.querySelector("h2").focus({ preventScroll: true });
}

/** Puts a screen up that is all its own. */
export function showWhole(...parts) {
  show("", ...parts);
  place.querySelector("h2").remove();
}

/** What the next screen says first, once. */
export const greet = (text) => (text ? sessionStorage.setItem("greeting", text) : sessionStorage.removeItem("greeting"));

function greeting() {
  const text = sessionStorage.getItem("greeting");
  sessionStorage.removeItem("greeting");
  return text && el("p", { class: "alert good", role: "status" }, text);
}

/** Called once when another screen takes this one's place. */
export const onLeave = (act) => { leave = act; };

/** Goes to a screen, also to the one whose address is there already. */
export function go(to) {
  if (location.hash === to) dispatchEvent(new HashChangeEvent("hashchange"));
  else location.hash = to;
}

export const back = (to) => el("button", { type: "button", class: "back", onclick: () => go(to) }, "‹ ", t("Quay lại", "Back"));

/** A line that looks like a link and does something on this phone. */
export const link = (text, act) => el("button", { type: "button", class: "link", onclick: typeof act === "string" ? () => go(act) : act }, text);

/** A list of big lines, each `[text, where to or what to do, small print]`. */
export const menu = (lines) => el("ul", { class: "plain menu actions" }, lines.filter(Boolean).map(([text, act, small]) =>
  el("li", {}, el("button", { type: "button", onclick: typeof act === "string" ? () => go(act) : act },
    el("span", {}, text, small && el("small", {}, small)), el("span", { "aria-hidden": "true" }, "›")))));

/** What can be done about a problem, by its code: a function from the problem to the pieces that offer it. */
export const remedies = {};

/** Runs `act` with the button busy, and shows what went wrong where the button is. */
export function doing(button, act) {
  return async (event) => {
    event?.preventDefault();
    clear();
    button.disabled = true;
    try {
      await act();
    } catch (problem) {
      complain(problem, button);
    } finally {
      button.disabled = false;
    }
  };
}

/** A problem in words, above what `button` belongs to; field errors stand at their fields, those without one in the list. */
export function complain(problem, button) {
  if (problem instanceof TypeError || problem instanceof ReferenceError) console.error(problem);
  clear();
  const homeless = (problem.errors ?? []).filter((one) => !mark(one));
  const box = el("div", { class: "alert", role: "alert", "data-code": problem.code },
    el("strong", {}, problem.title ?? problem.message),
    problem.detail && problem.detail !== problem.title && el("div", {}, problem.detail),
    problem.wait > 0 && !/\d+ (giây|phút|giờ|second|minute|hour)/.test(problem.detail ?? "") && el("div", {}, t(`Thử lại sau ${span(problem.wait)}.`, `Try again in ${span(problem.wait)}.`)),
    homeless.length > 0 && el("ul", {}, homeless.map((one) => el("li", {}, one.message))),
    remedies[problem.code]?.(problem));
  const before = (button?.isConnected && button.closest(PARTS)) || place.querySelector("form, .actions");
  if (before) before.before(box); else place.append(box);
  (place.querySelector("[aria-invalid]") ?? box).scrollIntoView({ block: "nearest" });
  place.querySelector("[aria-invalid]")?.focus();
}

const PARTS = "form, .row, .actions, .tick";
const span = (seconds) => (seconds < 90 ? t(`${seconds} giây`, `${seconds} s`) : t(`${Math.ceil(seconds / 60)} phút`, `${Math.ceil(seconds / 60)} min`));

function mark({ field, message }) {
  const input = place.querySelector(`[name="${CSS.escape(field.split(".").pop())}"]`);
  if (!input) return false;
  input.setAttribute("aria-invalid", "true");
  const id = `${input.id}-error`;
  const before = document.getElementById(id);
  if (before) {
    before.append(el("br"), message);
    return true;
  }
  input.setAttribute("aria-describedby", [input.getAttribute("aria-describedby"), id].filter(Boolean).join(" "));
  input.after(el("p", { class: "error", id }, message));
  return true;
}

function clear() {
  for (const node of place.querySelectorAll(".alert[role=alert], p.error")) node.remove();
  for (const node of place.querySelectorAll("[aria-invalid]")) {
    node.removeAttribute("aria-invalid");
    const others = (node.getAttribute("aria-describedby") ?? "").split(" ").filter((id) => id && !id.endsWith("-error"));
    if (others.length) node.setAttribute("aria-describedby", others.join(" "));
    else node.removeAttribute("aria-describedby");
  }
}

/** A labelled input; `options` make it a select. */
export function field(name, label, { options, required, value, ...rest } = {}) {
  const id = `f-${name}`;
  const input = options
    ? el("select", { id, name, required, ...rest },
        el("option", { value: "" }, t("— Chọn —", "— Choose —")),
        options.map((one) => el("option", { value: one.value, selected: one.value === value }, one.label)))
    : el("input", { id, name, required, value, ...rest });
  return el("div", {},
    el("label", { for: id }, label, !required && el("span", { class: "soft" }, t(" (không bắt buộc)", " (optional)"))), input);
}

/** A choice of one, as radio buttons in a named group; `options` are `[value, text]`. */
export function choice(name, legend, options, chosen) {
  return el("fieldset", { class: "choice" }, el("legend", {}, legend), options.map(([value, text]) =>
    el("label", {}, el("input", { type: "radio", name, value, checked: value === chosen }), " ", text)));
}

/** Asks before something that cannot be undone; resolves to whether it is wanted. */
export function confirmed(question, yes) {
  return new Promise((resolve) => {
    const box = el("dialog", { class: "sheet", "aria-label": question, onclose: () => { box.remove(); resolve(box.returnValue === "yes"); } },
      el("form", { method: "dialog" }, el("p", {}, question),
        el("div", { class: "row" }, el("button", { class: "danger small", value: "yes" }, yes),
          el("button", { class: "quiet small", value: "no" }, t("Thôi", "No")))));
    document.querySelector(".handset").append(box);
    box.showModal();
  });
}
