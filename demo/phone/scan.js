// Letting a browser into the workspace: the code that its page shows, and the number to match.
import { el, t, time } from "../static/dom.js";
import { call } from "./api.js";
import { back, doing, field, go, show } from "./ui.js";

const CODE = /workspace-login\/([0-9a-f-]{36})/;

/** Without a camera: the address that the code holds is typed or pasted. */
export function scan() {
  const button = el("button", {}, t("Tiếp tục", "Go on"));
  const form = el("form", { novalidate: true },
    field("address", t("Địa chỉ trong mã QR", "The code's address"), { required: true, autocomplete: "off", inputmode: "url" }),
    el("p", { class: "soft" }, t("Bản thử không có máy ảnh: hãy chép đường dẫn dưới mã, hoặc bấm vào đó.", "The demo has no camera: copy the link below the code, or press it.")), button);
  form.addEventListener("submit", doing(button, async () => {
    const [, code] = CODE.exec(form.elements.address.value) ?? [];
    if (!code) throw { status: 422, code: "not_ours", title: t("Đây không phải mã đăng nhập không gian làm việc", "This is no code of the workspace"), errors: [] };
    go(`#/scan/${code}`);
  }));
  show(t("Đăng nhập không gian làm việc", "Sign in to the workspace"), back("#/home"),
    el("p", {}, t("Trên máy tính, mở trang đăng nhập và chọn “Đăng nhập bằng mã QR”.", "On the computer open the sign-in page and choose “Đăng nhập bằng mã QR” (QR code).")), form);
}

/** Who asks from where, and which number the page shows. */
export async function scanned(code) {
  const asked = await call("GET", `/v1/workspace-logins/${code}`);
  const pick = (number) => {
    const button = el("button", { type: "button", class: "quiet code" }, number);
    button.addEventListener("click", doing(button, async () => {
      await call("POST", `/v1/workspace-logins/${code}/approve`, { body: { number } });
      show(t("Đã cho vào", "Let in"), back("#/home"),
        el("p", { class: "alert good", role: "status" }, t("Trình duyệt ấy tự vào không gian làm việc. Nếu không phải bạn, mở Thông báo và chọn “Không phải tôi”.", "That browser goes on by itself. If it was not you, open Notices and choose “This was not me”.")));
    }));
    return button;
  };
  show(t("Đăng nhập không gian làm việc", "Sign in to the workspace"), back("#/home"),
    el("dl", { class: "facts stacked" },
      el("dt", {}, t("Trình duyệt", "Browser")), el("dd", {}, asked.browser),
      el("dt", {}, t("Mạng", "Network")), el("dd", {}, asked.place),
      el("dt", {}, t("Có hiệu lực đến", "Good until")), el("dd", {}, time(asked.expires_at))),
    el("div", { class: "alert wait" }, t("Chỉ tiếp tục khi chính bạn vừa mở trang đăng nhập trên máy trước mặt. Nếu ai đó gửi mã cho bạn, hãy dừng lại.", "Go on only if you have just opened the sign-in page on the computer before you. If somebody sent you this code, stop.")),
    el("p", {}, t("Trên màn hình máy tính là số nào?", "Which number does the computer show?")),
    el("div", { class: "row actions", role: "group", "aria-label": t("Chọn số", "Pick the number") }, asked.numbers.map(pick)));
}
