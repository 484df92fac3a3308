// The ways back: the account's password by personal number, the official mail's by its address (sources 001, 2.1; 000, 2).
import { el, t } from "../static/dom.js";
import { client } from "./api.js";
import { brand } from "./brand.js";
import { askCode, askPassword } from "./flow.js";
import { back, doing, field, go, greet, show } from "./ui.js";

/** “Quên mật khẩu?”: the number, the code, the new password, and a sign-in with it. */
export function forgotten() {
  ask({
    title: t("Quên mật khẩu", "Password forgotten"), leave: "#/signin", name: "national_id", send: t("Tiếp tục", "Continue"), confirm: t("Xác nhận", "Confirm"),
    input: field("national_id", t("Số CMND/CCCD", "Personal number"), { required: true, inputmode: "numeric", autocomplete: "username" }),
    words: t("Mã xác thực sẽ được gửi đến số điện thoại nhận OTP của tài khoản. Số ấy phải vẫn là thuê bao chính chủ của bạn.", "A code will go to the account's phone number, which has to be registered in your name still."),
    done: t("Đã đặt lại mật khẩu và đăng xuất mọi thiết bị. Hãy đăng nhập bằng mật khẩu mới.", "The password is changed and every device signed out. Please sign in with the new password."),
    to: "#/signin",
    more: el("p", { class: "soft" }, t("Không còn số điện thoại ấy? Hãy đăng nhập bằng VNeID, hoặc ra quầy giao dịch.", "No longer have that number? Sign in with VNeID, or go to a counter.")),
  });
}

/** “Quên mật khẩu” of the official mail. */
export function mailPassword() {
  ask({
    title: t("Lấy lại mật khẩu thư công vụ", "Official-mail password"), leave: "#/", name: "official_email", send: t("Tiếp tục", "Continue"), confirm: t("Xác thực", "Confirm"),
    input: field("official_email", t("Địa chỉ thư điện tử công vụ", "Official mail address"), { required: true, type: "email", autocomplete: "email", placeholder: `binh.tv@kimlong.${brand.mailHost}` }),
    words: t("Lưu ý: Mã xác nhận gửi cách nhau 5 phút, tối đa 2 lần 1 ngày.", "Note: codes are sent 5 minutes apart, twice a day at most."),
    done: t("Đã đổi mật khẩu thư công vụ. Hãy đăng nhập hệ thống thư bằng mật khẩu mới.", "The mail password is changed. Please sign in to your mail with it."),
    to: "#/",
    more: el("p", {}, el("a", { href: "/demo/mail", target: "_blank", rel: "noopener" }, t("Trang đăng nhập thư (bản thử)", "The mail's sign-in page (demo)"))),
  });
}

function ask({ title, leave, name, send, confirm, input, words, done, to, more }) {
  const button = el("button", {}, send);
  const form = el("form", { novalidate: true }, input, el("p", { class: "soft" }, words), button);
  form.addEventListener("submit", doing(button, async () => {
    const at = await client.begin("/v1/recoveries", { [name]: form.elements[name].value.trim() });
    const finish = () => { greet(done); go(to); };
    const password = () => askPassword(at, { title: t("Đặt mật khẩu mới", "Choose a new password"), send: t("Đổi mật khẩu", "Change the password"), again: t("Nhập lại mật khẩu", "Password again"), next: finish });
    askCode(at, { send: confirm, leave, next: password });
  }));
  show(title, back(leave), form, more);
}
