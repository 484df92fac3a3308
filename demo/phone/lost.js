// Another number for the codes: inside a sign-in whose number is lost, or from the account (source 001, 2.2).
import { day, el, t, time } from "../static/dom.js";
import { client } from "./api.js";
import { askCode } from "./flow.js";
import { doing, field, go, greet, link, show } from "./ui.js";

/** Asks for the new number. `login` is the sign-in that waits; `then` follows the change, `stay` is the way back. */
export function lostPhone({ login, then, stay }) {
  const button = el("button", {}, t("Đăng ký", "Register it"));
  const form = el("form", { novalidate: true },
    field("phone", t("Số điện thoại", "Phone number"), { required: true, type: "tel", inputmode: "tel", autocomplete: "tel", placeholder: "0550 123 456" }),
    el("p", { class: "soft" }, t("Số mới phải là thuê bao chính chủ: nhà mạng được hỏi xem số ấy có đúng là của bạn không.", "The new number has to be registered in your own name: the carrier is asked whether it is yours.")),
    button);
  form.addEventListener("submit", doing(button, async () => {
    const body = { phone: form.elements.phone.value.trim(), ...(login && { login }) };
    const at = await client.begin("/v1/phone-changes", body);
    const other = () => lostPhone({ login, then, stay });
    askCode(at, {
      send: t("Xác nhận", "Confirm"), other,
      refused: (problem) => {
        if (problem.slip) slipOf(problem, { other, stay });
        return Boolean(problem.slip);
      },
      next: async (done) => {
        greet(t(`Số điện thoại nhận OTP bây giờ là ${done.phone}. Số cũ và các thiết bị của bạn đã được báo tin.`, `Codes now go to ${done.phone}. The old number and your devices were told.`));
        await then();
      },
    });
  }));
  show(t("Nhập số điện thoại nhận OTP mới", "The new number for codes"), form, link(t("Quay lại", "Back"), stay));
}

/** The same for somebody who is signed in. */
export const changePhone = () => lostPhone({ then: () => go("#/methods"), stay: () => go("#/methods") });

/** The registry knows the number as somebody else's: a slip for the counter, which can check it. This try is over. */
function slipOf({ title, slip }, { other, stay }) {
  show(t("Phiếu ra quầy giao dịch", "A slip for the counter"),
    el("div", { class: "alert", role: "alert" }, el("strong", {}, title)),
    el("div", { class: "slip" }, el("p", { class: "code big" }, slip.code),
      el("p", { class: "soft" }, t("Có giá trị đến ", "Valid until "), `${time(slip.valid_until)}, ${day(slip.valid_until)}. `, t("Hãy ghi lại hoặc chụp màn hình mã này.", "Please write this code down or take a screenshot."))),
    el("div", { class: "actions" }, el("button", { type: "button", class: "wide", onclick: other }, t("Dùng số khác", "Use another number")), el("button", { type: "button", class: "wide quiet", onclick: stay }, t("Quay lại", "Back"))));
}
