// Another number for the codes: inside a sign-in whose number is lost, or from the account (source 001, 2.2).
import { day, el, t, time } from "../static/dom.js";
import { call } from "./api.js";
import { askCode, flowAt } from "./flow.js";
import { doing, field, go, greet, link, remedies, show } from "./ui.js";

/** Asks for the new number. `login` is the sign-in that waits; `then` follows the change, `stay` is the way back. */
export function lostPhone({ login, then, stay }) {
  const button = el("button", {}, t("Đăng ký", "Register it"));
  const form = el("form", { novalidate: true },
    field("phone", t("Số điện thoại", "Phone number"), { required: true, type: "tel", inputmode: "tel", autocomplete: "tel", placeholder: "0550 123 456" }),
    el("p", { class: "soft" }, t("Số mới phải là thuê bao chính chủ: nhà mạng được hỏi xem số ấy có đúng là của bạn không.", "The new number has to be registered in your own name: the carrier is asked whether it is yours.")),
    button);
  form.addEventListener("submit", doing(button, async () => {
    const body = { phone: form.elements.phone.value.trim(), ...(login && { login }) };
    const flow = await call("POST", "/v1/phone-changes", { body, open: Boolean(login) });
    const at = flowAt(`/v1/phone-changes/${flow.id}`, Boolean(login));
    askCode(at, flow, {
      send: t("Xác nhận", "Confirm"), other: () => lostPhone({ login, then, stay }),
      next: async (done) => {
        greet(t(`Số nhận OTP bây giờ là ${done.phone}. Số cũ và các thiết bị của bạn đã được báo tin.`, `Codes now go to ${done.phone}. The old number and your devices were told.`));
        await then();
      },
    });
  }));
  show(t("Nhập số điện thoại nhận OTP mới", "The new number for codes"), form, link(t("Quay lại", "Back"), stay));
}

/** The same for somebody who is signed in. */
export const changePhone = () => lostPhone({ then: () => go("#/methods"), stay: () => go("#/methods") });

/** The registry knows the number as somebody else's: a slip for the counter, which can check it. */
remedies.subscriber_mismatch = ({ slip }) => slip && el("div", { class: "slip" },
  el("p", {}, t("Hãy kiểm tra thông tin thuê bao và mang phiếu này ra quầy giao dịch của nhà mạng để sửa:", "Check the subscriber's data, and take this slip to the carrier's counter:")),
  el("p", { class: "code" }, slip.code),
  el("small", {}, t("Có giá trị đến ", "Valid until "), `${time(slip.valid_until)}, ${day(slip.valid_until)}`));
