// What every flow is made of: the code, the password, and the arrival (rule 110).
import { day, el, t, time } from "../static/dom.js";
import { device } from "./api.js";
import { back, doing, field, go, greet, link, onLeave, show } from "./ui.js";

const names = { 1: t("Điện thoại thử số 1", "Demo phone 1"), 2: t("Điện thoại thử số 2", "Demo phone 2") };
export const about = () => ({ platform: "android", name: names[device], model: `Web ${device}`, push_token: `demo-phone-${device}` });

/**
 * Asks for the six digits of a flow. `send` is the button's word, `next` what follows a right code, `leave` where "back" leads,
 * `lost` what to do when the number is lost, `other` how another number is typed, `refused` the screen for what a
 * right code could not bring about; a flow that lists `methods` lets one of them be chosen.
 */
export function askCode(at, how) {
  const { send, next, leave, lost, other, refused, title = t("Xác thực mã OTP", "Enter the code") } = how;
  const flow = at.answer;
  const button = el("button", {}, send);
  const again = el("button", { type: "button", class: "quiet" });
  const left = el("p", { class: "soft", id: "left" });
  const form = el("form", { novalidate: true },
    field("code", t("Mã OTP", "Code"), { required: true, type: "text", inputmode: "numeric", autocomplete: "one-time-code", maxlength: "6", class: "otp" }),
    left, button, again);
  flow.until ??= Date.now() + (flow.resend_in ?? 0) * 1000; // who leaves this screen and returns waits no longer, and no shorter
  const counted = (n) => { left.textContent = n === undefined ? "" : t(`Còn ${n} lần nhập.`, `${n} attempts left.`); };
  const redraw = () => askCode(at, how);
  counted(flow.attempts_left);
  form.addEventListener("submit", doing(button, async () => {
    try {
      await next(await at.send({ code: form.elements.code.value.trim() }));
    } catch (problem) {
      if (refused?.(problem)) return;
      if (problem.code === "registry_unavailable") problem.detail = t("Mã bạn vừa nhập vẫn dùng được.", "The code that you typed stays good.");
      if (problem.code === "otp_expired") problem.detail = t("Hãy bấm “Gửi lại OTP” để nhận mã.", "Press “Send again” to get a code.");
      if (problem.attempts_left !== undefined) counted(problem.attempts_left);
      form.elements.code.select();
      throw problem;
    }
  }));
  again.addEventListener("click", doing(again, async () => { await at.resend(); redraw(); }));
  show(title, leave && back(leave),
    flow.sent_to ? whereItWent(flow)
      : el("p", {}, t("Nếu có tài khoản như vậy, mã gồm 6 chữ số đã được gửi đến số điện thoại nhận OTP của tài khoản.", "If there is such an account, a code of 6 digits was sent to its phone number.")),
    el("p", {}, el("a", { href: "/demo/inbox", target: "_blank", rel: "noopener" }, t("Mở hộp tin thử", "Open the demo inbox"))),
    form,
    flow.methods?.length > 1 && link(t("Chọn phương thức xác thực khác", "Choose another number"), () => chooseNumber(at, redraw)),
    lost && link(t("Mất số điện thoại nhận OTP", "I have lost that number"), () => lost(redraw)),
    other && link(t("Dùng số khác", "Use another number"), other));
  countdown(again, flow.until);
  form.elements.code.focus();
}

/** The number that the code went to; or the honest word when the SMS centre has not said that it took the message. */
function whereItWent({ sent_to: number, delivery }) {
  return delivery === "uncertain"
    ? el("p", { class: "alert wait", role: "status" }, t("Chưa chắc tin nhắn đã được gửi đến ", "It is not certain that the message was sent to "), el("strong", {}, number),
        t("; nếu chưa thấy mã, hãy đợi rồi bấm “Gửi lại OTP”.", "; if no code comes, wait and press “Send again”."))
    : el("p", {}, t("Mã gồm 6 chữ số đã được gửi đến ", "A code of 6 digits was sent to "), el("strong", {}, number), ".");
}

function chooseNumber(at, redraw) {
  const line = (one) => {
    const button = el("button", { type: "button", class: "quiet wide" }, t(`Gửi mã đến ${one.sent_to}`, `Send the code to ${one.sent_to}`));
    button.addEventListener("click", doing(button, async () => { await at.resend({ method_id: one.id }); redraw(); }));
    return button;
  };
  show(t("Chọn phương thức xác thực khác", "Choose another number"), el("div", { class: "actions" }, at.answer.methods.map(line)),
    link(t("Quay lại nhập mã", "Back to the code"), redraw));
}

function countdown(button, until) {
  const tick = () => {
    const rest = Math.ceil((until - Date.now()) / 1000);
    button.disabled = rest > 0;
    button.textContent = rest > 0 ? t(`Gửi lại OTP sau ${rest} giây`, `Send again in ${rest} s`) : t("Gửi lại OTP", "Send again");
    if (rest <= 0) clearInterval(timer);
  };
  const timer = setInterval(tick, 1000);
  onLeave(() => clearInterval(timer));
  tick();
}

export const RULE = t("Sử dụng 8 ký tự trở lên bao gồm chữ thường, chữ in hoa, số và ký tự đặc biệt.", "Use 8 characters or more, with lower case, upper case, a digit and a special character.");

/** The fields of a new password: typed twice, with the rule in words, and to be looked at when wanted. */
export function newPassword(name = "password", label = t("Nhập mật khẩu", "Password"), again = t("Xác nhận mật khẩu", "Password again")) {
  const kind = (shown) => (shown ? "text" : "password");
  const both = [
    field(name, label, { required: true, type: "password", autocomplete: "new-password", "aria-describedby": "rule" }),
    field("again", again, { required: true, type: "password", autocomplete: "new-password" }),
  ];
  const look = el("input", { type: "checkbox", id: "look", onchange: () => { for (const one of both) one.querySelector("input").type = kind(look.checked); } });
  return [el("p", { class: "soft", id: "rule" }, RULE), ...both,
    el("label", { class: "tick", for: "look" }, look, " ", t("Hiện mật khẩu", "Show the password"))];
}

/** The typed password; raises what `complain` shows at the second field when the two differ. */
export function typedTwice(form, name = "password") {
  const typed = form.elements[name].value;
  if (typed === form.elements.again.value) return typed;
  const message = t("Hai lần nhập chưa giống nhau", "The two do not match");
  throw { status: 422, code: "differs", title: message, errors: [{ field: "again", message }] };
}

/** The password step of a registration or a recovery. */
export function askPassword(at, { title, send, again, next }) {
  const button = el("button", {}, send);
  const form = el("form", { novalidate: true }, newPassword("password", undefined, again), button);
  form.addEventListener("submit", doing(button, async () => next(await at.send({ password: typedTwice(form) }))));
  show(title, form);
}

/** Signed in: say what it cost, and go on. */
export function arrive(done, said, to = "#/home") {
  const lines = [said];
  if (done.replaced_device) {
    const { name, last_seen_at: seen } = done.replaced_device;
    lines.push(t(`Thiết bị “${name}” vừa được đăng xuất (dùng lần cuối ${time(seen)}, ${day(seen)}).`, `The device “${name}” was signed out (last used ${time(seen)}, ${day(seen)}).`));
  }
  greet(lines.filter(Boolean).join(" "));
  go(to);
}
