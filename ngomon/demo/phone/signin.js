// Signing in: VNeID, the phone number, the code; and being told that another phone took the place.
import { day, el, t, time } from "../static/dom.js";
import { call, device, forget, keep, publicUrl } from "./api.js";
import { complain, doing, field, onLeave, show, showWhole } from "./ui.js";
import { drop, get, put } from "./store.js";

const names = { 1: t("Điện thoại thử số 1", "Demo phone 1"), 2: t("Điện thoại thử số 2", "Demo phone 2") };

export function welcome(problem) {
  const button = el("button", { type: "button", class: "wide" }, t("Đăng nhập bằng VNeID", "Sign in with VNeID"));
  button.addEventListener("click", doing(button, begin));
  showWhole(el("div", { class: "welcome" },
    el("img", { src: "/demo/static/logo.svg", alt: "" }),
    el("h2", {}, t("Chào mừng đến Hue-S", "Welcome to Hue-S")),
    el("p", { class: "soft" }, t("Một tài khoản định danh cho mọi dịch vụ số của thành phố.", "One identity for all digital services of the city.")),
    el("div", { class: "actions" }, button)));
  if (problem) complain(problem);
}

async function begin() {
  const about = { platform: "android", name: names[device], model: `Web ${device}`, push_token: `demo-phone-${device}` };
  const flow = await call("POST", "/v1/logins", { body: { method: "vneid", device: about }, open: true });
  const state = new URL(flow.authorization_url).searchParams.get("state");
  await put(`flow/${state}`, { id: flow.id, device });
  location.assign(flow.authorization_url);
}

/** The e-ID came back to the app's link: find the phone that left, and go on there. */
export async function returned(query) {
  const state = query.get("state");
  const flow = await get(`flow/${state}`);
  if (flow && flow.device !== device) {
    query.set("device", flow.device);
    location.replace(`${location.pathname}?${query}`);
    return;
  }
  history.replaceState(null, "", device === 1 ? "/demo/phone" : `/demo/phone?device=${device}`);
  if (!flow) {
    welcome({ title: t("Lần đăng nhập này không bắt đầu từ điện thoại này.", "This sign-in did not begin on this phone.") });
    return;
  }
  show(t("Đang đăng nhập…", "Signing in…"));
  await drop(`flow/${state}`);
  const said = Object.fromEntries([...query].filter(([name]) => ["state", "code", "iss", "error"].includes(name)));
  try {
    await next(await call("POST", `/v1/logins/${flow.id}/authorize`, { body: said, open: true }), flow.id);
  } catch (problem) {
    welcome(problem);
  }
}

async function next(flow, id) {
  if (flow.step === "phone") askPhone(id);
  else if (flow.step === "otp") askCode(id, flow);
  else await finish(flow);
}

function askPhone(id, value = "") {
  const button = el("button", {}, t("Cập nhật", "Update"));
  const form = el("form", { novalidate: true },
    field("phone", t("Số điện thoại", "Phone number"), { required: true, type: "tel", inputmode: "tel", autocomplete: "tel", value, placeholder: "0550 123 456" }),
    el("p", { class: "soft" }, t("Lưu ý: Cần cung cấp số điện thoại chính chủ để đảm bảo an toàn thông tin. Hệ thống có cơ chế kiểm soát mỗi thời điểm chỉ được đăng nhập trên 01 thiết bị di động.", "Note: give a number registered in your own name. The system allows one signed-in mobile device at any time.")),
    el("p", { class: "soft" }, t("Bản thử: hãy dùng một số bắt đầu bằng 0550, không ai có số ấy.", "Demo: use a number beginning 0550, which nobody has.")),
    button);
  form.addEventListener("submit", doing(button, async () => {
    const flow = await call("POST", `/v1/logins/${id}/phone`, { body: { phone: form.elements.phone.value.trim() }, open: true });
    await next(flow, id);
  }));
  show(t("Nhập số điện thoại", "Enter your phone number"), form);
}

function askCode(id, flow) {
  const button = el("button", {}, t("Gửi", "Send"));
  const again = el("button", { type: "button", class: "quiet" });
  const left = el("p", { class: "soft", id: "left" });
  const form = el("form", { novalidate: true },
    field("code", t("Mã OTP", "Code"), { required: true, type: "text", inputmode: "numeric", autocomplete: "one-time-code", maxlength: "6", class: "otp" }),
    left, button, again);
  const counted = (n) => { left.textContent = t(`Còn ${n} lần nhập.`, `${n} attempts left.`); };
  counted(flow.attempts_left);
  form.addEventListener("submit", doing(button, async () => {
    try {
      await next(await call("POST", `/v1/logins/${id}/otp`, { body: { code: form.elements.code.value.trim() }, open: true }), id);
    } catch (problem) {
      if (problem.attempts_left !== undefined) counted(problem.attempts_left);
      form.elements.code.select();
      throw problem;
    }
  }));
  again.addEventListener("click", doing(again, async () =>
    askCode(id, await call("POST", `/v1/logins/${id}/otp/resend`, { body: {}, open: true }))));
  show(t("Nhập mã OTP", "Enter the code"),
    el("p", {}, t("Mã gồm 6 chữ số đã được gửi đến ", "A code of 6 digits was sent to "), el("strong", {}, flow.sent_to), "."),
    el("p", {}, el("a", { href: "/demo/inbox", target: "_blank", rel: "noopener" }, t("Mở hộp tin thử", "Open the demo inbox"))),
    form);
  countdown(again, flow.resend_in);
  form.elements.code.focus();
}

function countdown(button, seconds) {
  const until = Date.now() + seconds * 1000;
  const tick = () => {
    const rest = Math.ceil((until - Date.now()) / 1000);
    button.disabled = rest > 0;
    button.textContent = rest > 0 ? t(`Gửi lại sau ${rest} giây`, `Send again in ${rest} s`) : t("Gửi lại", "Send again");
    if (rest <= 0) clearInterval(timer);
  };
  const timer = setInterval(tick, 1000);
  onLeave(() => clearInterval(timer));
  tick();
}

async function finish(done) {
  await keep(done.session);
  if (done.replaced_device) {
    const { name, last_seen_at: seen } = done.replaced_device;
    sessionStorage.setItem("greeting", t(`Thiết bị “${name}” vừa được đăng xuất (dùng lần cuối ${time(seen)}, ${day(seen)}).`, `The device “${name}” was signed out (last used ${time(seen)}, ${day(seen)}).`));
  }
  if (location.hash === "#/home") dispatchEvent(new HashChangeEvent("hashchange"));
  else location.hash = "#/home";
}

/** Another phone has the account now: say so on the whole screen, and let the owner object. */
export function replaced(problem) {
  const by = problem.replaced_by ?? {};
  const notMe = el("button", { type: "button", class: "danger wide" }, t("Không phải tôi", "This was not me"));
  const fine = el("button", { type: "button", class: "quiet wide" }, t("Tôi biết rồi", "I know"));
  notMe.addEventListener("click", doing(notMe, async () => {
    await call("POST", "/v1/takeover-reports", { body: {}, key: crypto.randomUUID() });
    await forget();
    showWhole(el("div", { class: "takeover" },
      el("h2", {}, t("Đã tạm khóa tài khoản", "The account is frozen")),
      el("p", {}, t("Thiết bị kia đã bị đăng xuất và không ai đăng nhập được cho đến khi chúng tôi xác minh. Xin gọi đường dây nóng Hue-S 19001075.", "The other device was signed out, and nobody can sign in until we have checked. Please call the Hue-S hotline 19001075."))));
  }));
  fine.addEventListener("click", async () => { await forget(); welcome(); });
  showWhole(el("div", { class: "takeover" },
    el("div", { class: "sign", "aria-hidden": "true" }, "⚠"),
    el("div", { role: "alert" }, el("h2", {}, problem.title)),
    problem.detail && problem.detail !== problem.title && el("p", {}, problem.detail),
    by.name && el("p", {}, t("Thiết bị mới: ", "New device: "), el("strong", {}, by.name), by.at ? ` (${time(by.at)})` : ""),
    el("div", { class: "actions" }, notMe, fine)));
}

export const wrongAddress = () => location.origin !== new URL(publicUrl).origin;
