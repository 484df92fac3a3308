// The ways in: VNeID, the post office, number and password, a certificate; and being told that another phone took the place.
import { el, t, time } from "../static/dom.js";
import { call, client, device, forget, publicUrl } from "./api.js";
import { brand } from "./brand.js";
import { captcha } from "./captcha.js";
import { certificateForm } from "./card.js";
import { about, arrive, askCode } from "./flow.js";
import { lostPhone } from "./lost.js";
import { announcements } from "./notices.js";
import { back, complain, doing, field, go, link, remedies, show, showWhole } from "./ui.js";
import { drop, get, put } from "./store.js";

const PROVIDERS = { vneid: t("Đăng nhập bằng VNeID", "Sign in with VNeID"), post_office: t("Đăng nhập bằng tài khoản Bưu điện", "Sign in with a post-office account") };

export async function welcome(problem) {
  showWhole(el("div", { class: "welcome" },
    el("img", { src: document.querySelector("link[rel=icon]").href, alt: "" }),
    el("h2", { tabindex: "-1" }, brand.welcome),
    el("p", { class: "soft" }, brand.lead),
    el("div", { class: "actions" }, provider("vneid"),
      el("button", { type: "button", class: "wide quiet", onclick: () => go("#/signin") }, t("Đăng nhập cách khác", "Other ways to sign in")),
      el("button", { type: "button", class: "wide quiet", onclick: () => go("#/register") }, t("Đăng ký", "Register"))),
    el("p", { class: "links" },
      link(t("Quên mật khẩu thư công vụ", "Official-mail password forgotten"), "#/mail-password"),
      link(t("Kiểm tra mã hỗ trợ", "Check a support code"), "#/check"))));
  if (problem) complain(problem);
  const place = document.querySelector(".welcome");
  const known = await announcements();
  if (place.isConnected && known) place.querySelector("h2").before(known);
  if (problem) place.querySelector("[role=alert]")?.scrollIntoView({ block: "nearest" }); // what went wrong stays in sight
}

function provider(method) {
  const button = el("button", { type: "button", class: "wide" }, PROVIDERS[method]);
  button.addEventListener("click", doing(button, () => begin(method)));
  return button;
}

/** Leaves for the provider; what comes back finds its flow by the state. `anew`: the person has to show up there again. */
export async function begin(method, anew = false) {
  await depart(await client.begin("/v1/logins", { method, device: about(), ...(anew && { max_age: 0 }) }));
}

/** The same session, proved anew (rule 108). */
async function stepUp() {
  await depart(await client.begin("/v1/logins", { method: "vneid", step_up: true }));
}

/** Goes to the e-ID's page, whose answer belongs to this flow. */
export async function depart(at) {
  const address = at.answer.authorization_url;
  await put(`flow/${new URL(address).searchParams.get("state")}`, { ...at.place, device, from: location.hash });
  location.assign(address);
}

/** A provider came back to the app's link: find the phone that left, and go on there. */
export async function returned(query) {
  const [flow, state] = await left(query);
  if (flow && flow.device !== device) {
    query.set("device", flow.device);
    location.replace(`${location.pathname}?${query}`);
    return;
  }
  const called = location.href;
  const home = device === 1 ? "/demo/phone" : `/demo/phone?device=${device}`;
  history.replaceState(null, "", home + (flow?.open === false ? flow.from : ""));
  if (!flow) {
    welcome({ title: t("Lần đăng nhập này không bắt đầu từ điện thoại này.", "This sign-in did not begin on this phone.") });
    return;
  }
  show(t("Đang đăng nhập…", "Signing in…"));
  await drop(`flow/${state}`);
  const at = client.resume(flow);
  try {
    await at.send(said(query, called));
    if (flow.open) next(at);
    else backAgain(at.answer, flow.from);
  } catch (problem) {
    if (flow.open) welcome(problem);
    else { show(t("Có trục trặc", "Something went wrong"), back(flow.from)); complain(problem); }
  }
}

async function left(query) {
  const state = query.get("state");
  return [state && await get(`flow/${state}`), state];
}

/** What the provider said; a sealed code is handed on in the whole address, where a raw `+` stays one. */
function said(query, called) {
  if (query.has("encrypt_key") || called.includes("+")) return { callback_url: called };
  return Object.fromEntries([...query].filter(([name]) => ["state", "code", "iss", "error"].includes(name)));
}

/** A stronger sign-in or another method is in: back to where it was wanted. */
function backAgain(done, from) {
  if (done.session) return arrive(done, t("Đã xác thực lại bằng VNeID. Hãy làm lại việc vừa rồi.", "Signed in afresh with VNeID. Please repeat what you were doing."), from);
  return go(from);
}

/** The screen of the step that is due. */
function next(at) {
  if (at.step === "phone") askPhone(at);
  else if (at.step === "otp") askCode(at, { send: t("Gửi", "Send"), leave: "#/", next: () => next(at) });
  else arrive(at.answer);
}

function askPhone(at) {
  const button = el("button", {}, t("Cập nhật", "Update"));
  const form = el("form", { novalidate: true },
    field("phone", t("Số điện thoại", "Phone number"), { required: true, type: "tel", inputmode: "tel", autocomplete: "tel", placeholder: "0550 123 456" }),
    el("p", { class: "soft" }, t("Lưu ý: Cần cung cấp số điện thoại chính chủ để đảm bảo an toàn thông tin. Hệ thống có cơ chế kiểm soát mỗi thời điểm chỉ được đăng nhập trên 01 thiết bị di động.", "Note: give a number registered in your own name. The system allows one signed-in mobile device at any time.")),
    el("p", { class: "soft" }, t("Bản thử: hãy dùng một số bắt đầu bằng 0550, không ai có số ấy.", "Demo: use a number beginning 0550, which nobody has.")),
    button);
  form.addEventListener("submit", doing(button, async () => { await at.send({ phone: form.elements.phone.value.trim() }); next(at); }));
  show(t("Nhập số điện thoại", "Enter your phone number"), back("#/"), form);
}

const TABS = {
  password: [t("CMND/CCCD", "Number"), passwordForm], usb: [t("USB ký số", "USB token"), () => signForm("usb")],
  sim: [t("SIM ký số", "Signing SIM"), () => signForm("sim")], vneid: ["VNeID", () => provider("vneid")],
  post_office: [t("Bưu điện", "Post office"), postOffice],
};

/** The sign-in screen; the tab of number and password stands first, as people know it (source 001, 2.1). */
export function signIn(chosen = "password") {
  const tab = ([name, [text]]) => el("a", { href: `#/signin/${name}`, "aria-current": name === chosen ? "page" : null }, text);
  show(t("Đăng nhập", "Sign in"), back("#/"),
    el("nav", { class: "tabs", "aria-label": t("Cách đăng nhập", "Ways to sign in") }, Object.entries(TABS).map(tab)),
    TABS[chosen][1](),
    el("p", { class: "links" }, t("Chưa có tài khoản?", "No account yet?"), " ", link(t("Đăng ký", "Register"), "#/register")));
}

function passwordForm() {
  const check = captcha();
  const button = el("button", {}, t("Đăng nhập", "Sign in"));
  const form = el("form", { novalidate: true, onfocusin: check.start },
    field("national_id", t("Tên đăng nhập (số CMND/CCCD)", "Your number"), { required: true, inputmode: "text", autocomplete: "username", "aria-describedby": "whose" }),
    el("p", { class: "soft", id: "whose" }, t("Tổ chức dùng mã số thuế hoặc mã đơn vị.", "Organisations use their tax code or agency code.")),
    field("password", t("Mật khẩu", "Password"), { required: true, type: "password", autocomplete: "current-password" }),
    check.box, link(t("Quên mật khẩu?", "Password forgotten?"), "#/forgot"), button);
  form.addEventListener("submit", doing(button, async () => {
    const typed = { national_id: form.elements.national_id.value.trim(), password: form.elements.password.value };
    const body = { method: "password", ...typed, captcha: await check.take(), device: about() };
    const at = await client.begin("/v1/logins", body);
    const lost = (redraw) => lostPhone({
      login: at.answer.id, stay: redraw, then: async () => { await at.resend(); redraw(); },
    });
    askCode(at, { send: t("Xác nhận", "Confirm"), next: (done) => arrive(done), leave: "#/signin", lost });
  }));
  return form;
}

function signForm(kind) {
  return certificateForm(kind, t("Đăng nhập", "Sign in"), async (card, sign) => {
    const at = await client.begin("/v1/logins", { method: "certificate", device: about() });
    arrive(await at.send({ certificate: card.certificate, signature: await sign(at.answer.challenge) }));
  });
}

function postOffice() {
  return el("div", { class: "actions" }, el("p", {}, t("Dành cho tài khoản do Bưu điện Việt Nam cấp tại quầy.", "For accounts that Vietnam Post gave out at its counters.")),
    el("p", { class: "soft" }, t("Tài khoản này không dùng để đăng ký vai trò của cán bộ, công chức, viên chức.", "Such an account cannot register the roles of civil servants.")), provider("post_office"));
}

/** What a call wants more of, in words, and the way to it (rule 108). */
remedies.insufficient_assurance = ({ required = {} }) => {
  const button = el("button", { type: "button", class: "small" }, t("Xác thực lại bằng VNeID", "Sign in afresh with VNeID"));
  button.addEventListener("click", doing(button, stepUp));
  const level = required.level && !required.method && el("p", {}, t("Mức độ 2 được cấp tại cơ quan Công an xã, phường. Nếu bạn đã có, hãy xác thực lại; nội dung đã nhập được giữ nguyên.", "Level 2 is given by the police of your commune or ward. If you have it, sign in afresh; what you typed is kept."));
  const why = level || required.method && el("p", {}, t("Việc này chỉ làm được sau một lần đăng nhập VNeID mới, ví dụ trong 24 giờ sau khi đổi số điện thoại nhận OTP hoặc lấy lại mật khẩu.", "This takes a new VNeID sign-in, for instance within 24 hours after the number for codes was changed or a password got back."));
  return el("div", {}, why, button, !required.method && !required.level && [t(" hoặc ", " or "), link(t("đăng xuất rồi đăng nhập lại", "sign out and in again"), signOut)]);
};

/** Whoever froze the account: the owner is let in by showing up at VNeID anew. */
function thaw() {
  const button = el("button", { type: "button", class: "wide" }, t("Mở khóa bằng VNeID", "Unlock with VNeID"));
  button.addEventListener("click", doing(button, () => begin("vneid", true)));
  return button;
}
remedies.account_frozen = () => el("div", {}, el("p", {}, t("Bạn là chủ tài khoản? Hãy xác thực lại bằng VNeID mức độ 2.", "Is it your account? Sign in afresh with VNeID, level 2.")), thaw());

/** For whoever has no VNeID: a sign-in of the account's own is as fresh. */
async function signOut() {
  await client.signOut();
  go("#/signin");
}
remedies.link_required = () => el("p", {}, t("Người này đã có tài khoản. Hãy đăng nhập bằng cách đã dùng trước đây, rồi thêm cách này trong “Các phương thức xác thực”.", "This person has an account. Please sign in the way you did before, then add this way under “Sign-in methods”."));
remedies.use_vneid = () => provider("vneid");
remedies.registration_required = () => el("p", {}, link(t("Đăng ký tài khoản", "Register"), "#/register"));
remedies.account_exists = () => el("p", {}, link(t("Đăng nhập", "Sign in"), "#/signin"), " · ", link(t("Quên mật khẩu?", "Password forgotten?"), "#/forgot"));

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
      el("p", {}, t(`Thiết bị kia đã bị đăng xuất và không ai đăng nhập được cho đến khi bạn mở khóa bằng VNeID hoặc chúng tôi xác minh. Đường dây nóng ${brand.name} ${brand.hotline}.`, `The other device was signed out, and nobody can sign in until you have unlocked the account with VNeID, or we have checked. Hotline ${brand.name} ${brand.hotline}.`)),
      el("div", { class: "actions" }, thaw())));
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
