// The ways that open this account: list, add, remove, change the password; and who came in when (source 001, 3.2).
import { day, el, t, time } from "../static/dom.js";
import { call, client } from "./api.js";
import { certificateForm } from "./card.js";
import { askCode, newPassword, typedTwice } from "./flow.js";
import { depart } from "./signin.js";
import { back, confirmed, doing, field, go, greet, menu, show } from "./ui.js";

const types = {
  password: t("Mật khẩu", "Password"), phone: t("Tin nhắn SMS", "Text message"), certificate: t("Chữ ký số", "Certificate"),
  vneid: "VNeID", post_office: t("Tài khoản Bưu điện", "Post-office account"), subscriber: t("Thuê bao di động", "Mobile subscriber"),
};
const when = (iso) => `${time(iso)}, ${day(iso)}`;

export async function methods() {
  const { items } = await call("GET", "/v1/me/auth-methods");
  show(t("Các phương thức xác thực", "Sign-in methods"), back("#/home"),
    el("ul", { class: "plain" }, items.map(tile)),
    el("div", { class: "actions" },
      el("button", { type: "button", class: "wide", onclick: () => go("#/methods/add") }, t("Thêm mới", "Add")),
      el("button", { type: "button", class: "wide quiet", onclick: () => go("#/phone") }, t("Đổi số điện thoại nhận OTP", "Change the number for codes"))));
}

function tile(one) {
  const remove = one.removable && el("button", { type: "button", class: "danger small" }, t("Gỡ", "Remove"));
  if (remove) {
    remove.addEventListener("click", doing(remove, async () => {
      const name = one.type === "phone" || one.type === "certificate" ? `${types[one.type]} ${one.label}` : types[one.type] ?? one.type;
      if (!await confirmed(t(`Gỡ phương thức “${name}”?`, `Remove “${name}”?`), t("Gỡ", "Remove"))) return;
      await call("DELETE", `/v1/me/auth-methods/${one.id}`);
      greet(t("Đã gỡ phương thức xác thực.", "The method is removed."));
      go("#/methods");
    }));
  }
  const shut = one.state === "unconfirmed";
  const mine = shut && el("button", { type: "button", class: "small" }, t("Đúng là của tôi", "This is mine"));
  if (mine) {
    mine.addEventListener("click", doing(mine, async () => {
      await call("POST", `/v1/me/auth-methods/${one.id}/confirm`);
      greet(t("Đã xác nhận. Từ nay phương thức này dùng được.", "Confirmed. It can be used from now on."));
      go("#/methods");
    }));
  }
  return el("li", { class: "tile", "data-type": one.type },
    el("div", { class: "row spread" }, el("strong", {}, types[one.type] ?? one.type), !["password", "vneid", "post_office"].includes(one.type) && el("span", {}, one.label)),
    el("small", {}, t("Thêm ngày ", "Added "), day(one.added_at), one.last_used_at ? t(", dùng lần cuối ", ", last used ") + when(one.last_used_at) : ""),
    shut && el("p", { class: "soft" }, t("Có từ trước khi bạn được xác thực lần đầu nên đang tạm khóa. Nếu là của bạn, hãy xác nhận trong 30 ngày; nếu không, hãy gỡ.", "It is older than your first proof of who you are, so it is shut. Confirm it within 30 days if it is yours, or remove it.")),
    el("div", { class: "row actions" }, mine, !shut && one.type === "password" && el("button", { type: "button", class: "small quiet", onclick: () => go("#/password") }, t("Sửa", "Change")), remove));
}

export function addMethod() {
  show(t("Chọn phương thức xác thực", "Choose a method"), back("#/methods"), menu([
    [t("Xác thực bằng USB ký số", "USB token"), "#/methods/add/usb"], [t("Xác thực bằng SIM ký số", "Signing SIM"), "#/methods/add/sim"],
    [t("Xác thực bằng tin nhắn SMS", "Text message"), "#/methods/add/phone"], [t("Xác thực bằng VNeID", "VNeID"), addVneid]]));
}

async function addVneid() {
  await depart(await begun({ type: "vneid" }));
}

const begun = (body) => client.begin("/v1/me/auth-methods", body);
const added = () => { greet(t("Đã thêm phương thức xác thực.", "The method is added.")); go("#/methods"); };

/** A certificate by its signature, a number by its code. */
export function addBy(kind) {
  if (kind !== "phone") {
    show(kind === "sim" ? t("Thêm SIM ký số", "Add a signing SIM") : t("Thêm USB ký số", "Add a USB token"), back("#/methods/add"),
      certificateForm(kind, t("Thêm", "Add"), async (card, sign) => {
        const at = await begun({ type: "certificate", certificate: card.certificate });
        await at.send({ certificate: card.certificate, signature: await sign(at.answer.challenge) });
        added();
      }));
    return;
  }
  const button = el("button", {}, t("Đăng ký", "Register it"));
  const form = el("form", { novalidate: true }, field("phone", t("Số điện thoại", "Phone number"), { required: true, type: "tel", inputmode: "tel", autocomplete: "tel", placeholder: "0550 123 456" }), button);
  form.addEventListener("submit", doing(button, async () => {
    const at = await begun({ type: "phone", phone: form.elements.phone.value.trim() });
    askCode(at, { send: t("Xác nhận", "Confirm"), leave: "#/methods/add", next: added });
  }));
  show(t("Thêm số điện thoại", "Add a phone number"), back("#/methods/add"), form);
}

export function changePassword() {
  const button = el("button", {}, t("Đổi mật khẩu", "Change the password"));
  const form = el("form", { novalidate: true },
    field("current", t("Mật khẩu hiện tại", "Current password"), { required: true, type: "password", autocomplete: "current-password" }),
    newPassword("new", t("Mật khẩu mới", "New password")), button);
  form.addEventListener("submit", doing(button, async () => {
    const body = { current: form.elements.current.value, new: typedTwice(form, "new") };
    await call("POST", "/v1/me/password", { body }).catch(currentIsWrong);
    greet(t("Đã đổi mật khẩu.", "The password is changed."));
    go("#/methods");
  }));
  show(t("Đặt mật khẩu mới", "Change the password"), back("#/methods"), form);
}

/** Whoever is in is known: what was wrong can only be the password, and that is said at its field. */
function currentIsWrong(problem) {
  if (problem.code !== "credentials_wrong") throw problem;
  const message = t("Mật khẩu hiện tại chưa đúng", "The current password is not right");
  throw { status: problem.status, code: problem.code, title: message, errors: [{ field: "current", message }] };
}

const ways = { ...types, password: t("Mật khẩu và mã OTP", "Password and code"), vneid: "VNeID", qr: t("Quét mã QR", "QR code") };

export async function history() {
  const list = el("ul", { class: "plain" });
  const more = el("button", { type: "button", class: "wide quiet" }, t("Xem thêm", "More"));
  const page = async (cursor) => {
    const { items, next_cursor: next } = await call("GET", `/v1/me/access-history${cursor ? `?cursor=${encodeURIComponent(cursor)}` : ""}`);
    list.append(...items.map(visit));
    more.hidden = !next;
    more.onclick = doing(more, () => page(next));
  };
  show(t("Lịch sử truy cập", "Access history"), back("#/home"), el("p", { class: "soft" }, t("Có lần nào không phải của bạn? Hãy đổi mật khẩu và gửi yêu cầu hỗ trợ.", "Is one of them not yours? Change your password and ask for help.")), list, el("div", { class: "actions" }, more));
  await page("");
}

function visit(one) {
  const good = one.result === "success";
  return el("li", { class: "tile" },
    el("div", { class: "row spread" }, el("strong", {}, ways[one.method] ?? one.method), el("span", { class: `chip ${good ? "good" : "bad"}` }, good ? t("Thành công", "Success") : t("Không thành công", "Failed"))),
    el("div", {}, [one.device?.name ?? one.device, one.place ?? t("không xác định địa điểm", "place unknown")].filter(Boolean).join(" · ")), el("small", {}, when(one.at)));
}
