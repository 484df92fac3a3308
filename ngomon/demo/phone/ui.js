// The few pieces that every screen is built from.
import { el, t } from "../static/dom.js";

const place = document.getElementById("screen");
let leave = () => {};

/** Puts a screen up. `title` is its heading; the rest are its parts. Focus goes to the top of it. */
export function show(title, ...parts) {
  leave();
  leave = () => {};
  place.replaceChildren(el("h2", { tabindex: "-1" }, title), ...parts.flat().filter(Boolean));
  place.scrollTop = 0;
  place.querySelector("h2").focus({ preventScroll: true });
}

/** Puts a screen up that is all its own. */
export function showWhole(...parts) {
  show("", ...parts);
  place.querySelector("h2").remove();
}

/** Called once when another screen takes this one's place. */
export const onLeave = (act) => { leave = act; };

export const back = (to) => el("button", { type: "button", class: "back", onclick: () => { location.hash = to; } }, "‹ ", t("Trở lại", "Back"));

/** Runs `act` with the button busy, and shows what went wrong above it. */
export function doing(button, act) {
  return async (event) => {
    event?.preventDefault();
    clear();
    button.disabled = true;
    try {
      await act();
    } catch (problem) {
      complain(problem);
    } finally {
      button.disabled = false;
    }
  };
}

/** A problem in words; its field errors stand at their fields, those without a field in the list. */
export function complain(problem) {
  if (!problem.status && problem.code !== "unreachable") console.error(problem);
  clear();
  const homeless = (problem.errors ?? []).filter((one) => !mark(one));
  const box = el("div", { class: "alert", role: "alert", "data-code": problem.code },
    el("strong", {}, problem.title ?? problem.message),
    problem.detail && problem.detail !== problem.title && el("div", {}, problem.detail),
    homeless.length > 0 && el("ul", {}, homeless.map((one) => el("li", {}, `${one.field}: ${one.message}`))));
  const before = place.querySelector("form, .actions");
  if (before) before.before(box); else place.append(box);
  (place.querySelector("[aria-invalid]") ?? box).scrollIntoView({ block: "nearest" });
  place.querySelector("[aria-invalid]")?.focus();
}

function mark({ field, message }) {
  const input = place.querySelector(`[name="${CSS.escape(field.split(".").pop())}"]`);
  if (!input) return false;
  input.setAttribute("aria-invalid", "true");
  const note = el("p", { class: "error", id: `${input.id}-error` }, message);
  input.setAttribute("aria-describedby", note.id);
  input.after(note);
  return true;
}

function clear() {
  for (const node of place.querySelectorAll(".alert[role=alert], p.error")) node.remove();
  for (const node of place.querySelectorAll("[aria-invalid]")) node.removeAttribute("aria-invalid");
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
