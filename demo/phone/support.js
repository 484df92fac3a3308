// Asking for help, and finding out whether a code that somebody quotes is genuine (source 004).
import { day, el, t, time } from "../static/dom.js";
import { call, session } from "./api.js";
import { brand } from "./brand.js";
import { desk } from "./notices.js";
import { back, doing, field, link, menu, show } from "./ui.js";

const states = { open: [t("Đang mở", "Open"), "wait"], answered: [t("Đã trả lời", "Answered"), "good"], closed: [t("Đã đóng", "Closed"), ""] };

export async function support() {
  const { items } = await call("GET", "/v1/support-cases");
  const tile = (one) => el("li", { class: "tile" },
    el("div", { class: "row spread" }, el("strong", { class: "code" }, one.code), el("span", { class: `chip ${states[one.status]?.[1] ?? ""}` }, states[one.status]?.[0] ?? one.status)),
    el("div", {}, one.subject), el("small", {}, one.desk.name),
    el("details", { open: one.status === "answered" }, el("summary", {}, t("Trao đổi", "Messages")), el("ol", { class: "plain ruled" }, one.messages.map((said) =>
      el("li", {}, el("small", {}, said.author === "desk" ? one.desk.name : t("Bạn", "You"), `, ${time(said.at)} ${day(said.at)}`), el("div", { class: "said" }, said.text))))));
  show(t("Hỗ trợ", "Support"), back("#/home"),
    menu([[t("Tạo yêu cầu hỗ trợ", "Ask for help"), "#/support/new"], [t("Kiểm tra mã hỗ trợ", "Check a support code"), "#/check"]]),
    el("h3", {}, t("Yêu cầu của tôi", "My cases")),
    items.length ? el("ul", { class: "plain" }, items.map(tile)) : el("p", { class: "soft" }, t("Chưa có yêu cầu nào.", "None yet.")),
    hotlines());
}

/** The two hotlines of source 003, VI. */
export const hotlines = () => el("p", { class: "soft" }, t("Đường dây nóng: ", "Hotlines: "), `VNeID ${brand.vneidHotline}, ${brand.name} ${brand.hotline}.`);

export function newCase(about) {
  const key = crypto.randomUUID();
  const button = el("button", {}, t("Gửi yêu cầu", "Send"));
  const id = "f-text";
  const form = el("form", { novalidate: true },
    field("subject", t("Tiêu đề", "Subject"), { required: true, maxlength: "120", value: about === "unit" ? t("Danh sách chưa có đơn vị của tôi", "My unit is not in the list") : "" }),
    el("div", {}, el("label", { for: id }, t("Nội dung", "What is the matter")), el("textarea", { id, name: "text", rows: "5", required: true, "aria-describedby": "tell" }),
      el("p", { class: "soft", id: "tell" }, t("Hãy mô tả đủ lỗi: bạn đang làm gì, màn hình báo gì, vào lúc nào.", "Please describe all of it: what you were doing, what the screen said, and when."))),
    el("p", { class: "soft" }, t("Đừng ghi mật khẩu, mã PIN hay mã OTP. Cán bộ hỗ trợ không bao giờ hỏi những thứ ấy.", "Write no password, PIN or code. The support desk never asks for them.")), button);
  form.addEventListener("submit", doing(button, async () => {
    const body = { subject: form.elements.subject.value.trim(), text: form.elements.text.value.trim() };
    const made = await call("POST", "/v1/support-cases", { body, key });
    show(t("Đã tạo yêu cầu", "The case is open"), back("#/support"),
      el("p", {}, t("Mã yêu cầu của bạn:", "Your case's code:")), el("p", { class: "code big" }, made.code), desk(made.desk),
      made.covered && el("div", { class: "alert" }, t("Yêu cầu có nội dung giống mật khẩu, mã PIN hoặc mã OTP nên phần ấy đã được che bằng ••••••, cán bộ hỗ trợ không đọc được. Nếu đó là mật khẩu hay mã PIN thật, bạn nên đổi ngay.", "Something in it looked like a password, a PIN or a code. It was covered by •••••• and the desk cannot read it. If it was a real password or PIN, please change it now.")),
      el("p", { class: "soft" }, t("Ai tự xưng là cán bộ hỗ trợ đều phải đọc được mã này. Hãy kiểm tra mã trước khi làm theo.", "Whoever claims to be the support desk has to know this code. Check it before you follow anybody.")));
  }));
  show(t("Tạo yêu cầu hỗ trợ", "Ask for help"), back("#/support"), form);
}

/** As it is read out or copied: blanks, small letters, another dash or none are no fault. */
const asPrinted = (typed) => typed.replace(/\s/g, "").replace(/[‐-―]/g, "-").toUpperCase().replace(/^(SD\d{6})(\d{6})$/, "$1-$2");

/** Works with and without a session: a code, or the slip of a phone change. */
export async function checkCode() {
  const signedIn = Boolean(await session());
  const button = el("button", {}, t("Kiểm tra", "Check"));
  const answer = el("div", { "aria-live": "polite", id: "answer" });
  const form = el("form", { novalidate: true },
    field("code", t("Mã yêu cầu", "Code"), { required: true, autocomplete: "off", autocapitalize: "characters", placeholder: "SD261122-123456" }), button);
  form.addEventListener("submit", doing(button, async () => {
    answer.replaceChildren();
    const typed = asPrinted(form.elements.code.value);
    if (!typed) throw { status: 422, code: "missing", title: t("Hãy nhập mã cần kiểm tra", "Type the code to check"), errors: [{ field: "code", message: t("Vui lòng nhập trường này", "Please fill in this field") }] };
    const slip = !typed.startsWith("SD");
    const path = slip ? "/v1/phone-change-slips/" : "/v1/support-codes/";
    const said = await call("GET", path + encodeURIComponent(typed), { open: slip || !signedIn });
    answer.replaceChildren(...verdict(said).filter(Boolean));
  }));
  show(t("Kiểm tra mã hỗ trợ", "Check a support code"), back(signedIn ? "#/support" : "#/"),
    el("p", {}, t("Có người gọi điện, nhắn tin và đọc một mã dạng SDnnnnnn-nnnnnn? Hãy nhập mã ấy để biết thật hay giả.", "Somebody calls or writes and quotes a code like SDnnnnnn-nnnnnn? Type it to learn whether it is genuine.")),
    el("p", { class: "soft" }, t("Dù mã đúng, cán bộ hỗ trợ cũng không bao giờ hỏi mật khẩu, mã PIN, mã OTP, không bảo bạn cài phần mềm điều khiển từ xa hay mở đường dẫn lạ.", "Even with a genuine code the desk never asks for a password, PIN or one-time code, nor tells you to install remote-control software or to open a strange link.")),
    form, answer, !signedIn && el("p", { class: "soft" }, t("Có người dùng số định danh của bạn để mở tài khoản? Hãy gọi đường dây nóng hoặc ra quầy giao dịch để khiếu nại.", "Has somebody opened an account with your personal number? Call a hotline, or complain at a counter.")), !signedIn && el("p", { class: "links" }, link(t("Đăng nhập để gửi yêu cầu hỗ trợ", "Sign in to ask for help"), "#/signin")), hotlines());
}

function verdict(said) {
  if (!said.genuine) return [el("div", { class: "alert" }, el("strong", {}, t("Mã này không đúng", "This code is not genuine")), el("div", {}, t("Mã không do chúng tôi cấp hoặc đã hết hạn. Đừng cung cấp thông tin, đừng cài phần mềm, đừng mở đường dẫn.", "It is not ours or no longer valid. Tell nothing, install nothing, open no link.")))];
  const where = typeof said.desk === "string" ? { name: said.desk, mailbox: said.mailbox, phone: said.phone } : { ...said.desk, mailbox: said.mailbox ?? said.desk?.mailbox, phone: said.phone ?? said.desk?.phone };
  if (said.desk_wrote === false) return [el("div", { class: "alert" }, el("strong", {}, t("Mã có thật, nhưng chưa chứng tỏ người gọi là cán bộ", "The code exists, but does not prove who is calling")),
    el("div", {}, t("Yêu cầu này do một người tự gửi và cán bộ chưa trả lời. Hãy tự gọi số dưới đây để hỏi lại.", "Somebody opened this case and the desk has not answered it yet. Call the number below yourself and ask."))), said.desk && desk(where)];
  return [el("div", { class: said.for_you === false ? "alert" : "alert good" }, el("strong", {}, t("Mã này đúng là của chúng tôi", "This code is genuine")),
    said.for_you !== undefined && el("div", {}, said.for_you ? t("Đây là yêu cầu của bạn.", "It is your own case.") : t("Nhưng đây không phải yêu cầu của bạn.", "But it is not your case."))),
    said.desk && desk(where),
    said.desk && el("p", { class: "soft" }, t("Chỉ tin thư gửi từ địa chỉ này và cuộc gọi từ số này.", "Trust only mail from this address and calls from this number.")),
    said.valid_until && el("small", {}, t("Có giá trị đến ", "Valid until "), `${time(said.valid_until)}, ${day(said.valid_until)}`)];
}
