// The identity page: every attribute with its mark, and the form for what may be edited (source 001, 3.1).
import { asIso, born, day, el, t } from "../static/dom.js";
import { call } from "./api.js";
import { back, doing, field, go, greet, link, show } from "./ui.js";
import { hotlines } from "./support.js";

const words = {
  full_name: t("Họ tên", "Full name"), gender: t("Giới tính", "Gender"), old_id_number: t("Số CMND (9 số)", "Old number (9 digits)"),
  national_id: t("Số CCCD (12 số)", "Personal number (12 digits)"), birth_date: t("Ngày sinh", "Birth date"), birth_place: t("Nơi sinh", "Place of birth"),
  hometown: t("Quê quán", "Home town"), permanent_address: t("Địa chỉ thường trú", "Permanent address"), phone: t("Số điện thoại", "Phone number"), email: "Email",
  organization_name: t("Tên tổ chức", "Organisation"), tax_code: t("Mã số thuế", "Tax code"), address: t("Địa chỉ", "Address"),
  agency_code: t("Mã đơn vị", "Agency code"), parent_agency: t("Đơn vị chủ quản", "Parent agency"),
};
const isEnterprise = (rows) => rows.some((one) => one.name === "tax_code");
const wordOf = (name, rows) => (name === "organization_name" && isEnterprise(rows) ? t("Tên doanh nghiệp", "Enterprise") : words[name] ?? name);
const marks = { verified: ["✓", t("đã xác minh", "verified"), "good"], unverified: ["!", t("chưa xác minh", "not verified"), "wait"], missing: ["+", t("chưa có", "missing"), ""] };
const genders = { male: t("Nam", "Male"), female: t("Nữ", "Female") };
const sources = {
  vneid: "VNeID", post_office: t("Bưu điện", "the post office"), subscriber: t("nhà mạng", "the carrier"), social_insurance: t("BHXH", "social insurance"), desk: t("đầu mối hỗ trợ, theo giấy tờ", "the support desk, by a document"),
  certificate: t("chứng thư số", "the certificate"), code: t("mã OTP", "a code"), self: t("tự khai", "your own word"),
};

export async function identity() {
  const { attributes: rows, standardization: matched } = await call("GET", "/v1/me/identity");
  const row = (one) => {
    const [sign, word, mood] = marks[one.state];
    return el("div", { class: "attribute", "data-state": one.state },
      el("dt", {}, wordOf(one.name, rows)),
      el("dd", {}, el("span", {}, shown(one)),
        el("span", { class: `mark ${mood}`, role: "img", "aria-label": word, title: word }, sign),
        one.state !== "missing" && el("small", {}, [sources[one.source] ?? one.source, one.verified_at && day(one.verified_at)].filter(Boolean).join(", "))));
  };
  show(t("Thông tin định danh", "Identity"), back("#/home"), disagreeing(matched, rows),
    el("div", { class: "row spread top" }, el("p", { class: "soft" }, "✓ ", marks.verified[1], " · ! ", marks.unverified[1], " · + ", marks.missing[1]),
      el("button", { type: "button", class: "small", onclick: () => go("#/identity/edit") }, t("Sửa", "Edit"))),
    el("dl", { class: "attributes" }, rows.map(row)),
    el("p", { class: "soft" }, t("Mục đã xác minh không sửa ở đây được. Nếu sai, hãy sửa tại nơi đã xác minh, hoặc gọi đường dây nóng.", "What is verified cannot be edited here. If it is wrong, have it corrected at its source, or call.")), hotlines());
}

/** Which fields VNeID has otherwise, and whom to call (source 003, VI). */
const disagreeing = ({ fields, hotlines: numbers }, rows) => fields.length > 0 && el("div", { class: "alert wait", role: "status" },
  el("strong", {}, t("Chuẩn hóa chưa thành công: ", "Matching did not succeed: "), fields.map((name) => wordOf(name, rows)).join(", ")),
  el("div", {}, t("Hãy kiểm tra lại, hoặc gọi ", "Please check, or call "), numbers.map((one) => `${one.name} ${one.phone}`).join(", "), "."));

const shown = (one) => (one.value == null ? "" : one.name === "gender" ? genders[one.value] ?? one.value : one.name === "birth_date" ? born(one.value) : one.value);

const typed = (form, { name }) => {
  const value = form.elements[name].value.trim();
  return name === "birth_date" ? asIso(value) : value;
};

/** Only what nobody has vouched for can be typed; the phone has a way of its own. */
export async function editIdentity() {
  const { attributes } = await call("GET", "/v1/me/identity");
  const rows = attributes.filter((one) => one.name !== "phone" && (one.state === "missing" || one.source === "self"));
  const button = el("button", {}, t("Lưu", "Save"));
  const form = el("form", { novalidate: true }, rows.map((one) => input(one, one.name === "email" && isEnterprise(attributes))), button);
  form.addEventListener("submit", doing(button, async () => {
    const changed = rows.map((one) => [one.name, typed(form, one), one.value ?? ""]).filter(([, now, before]) => now !== before);
    if (changed.length > 0) await call("PATCH", "/v1/me/identity", { body: { attributes: Object.fromEntries(changed.map(([name, now]) => [name, now || null])) } });
    if (changed.length > 0) greet(t("Đã lưu. Những mục bạn tự khai mang dấu “!” cho đến khi được xác minh.", "Saved. What you typed yourself carries “!” until somebody vouches for it."));
    go("#/identity");
  }));
  show(t("Sửa thông tin", "Edit"), back("#/identity"), rows.length ? form : el("p", {}, t("Mọi mục đều đã được xác minh.", "Everything is verified.")),
    el("p", { class: "soft" }, t("Số điện thoại đổi ở mục ", "The phone number is changed under "), link(t("Phương thức xác thực", "Sign-in methods"), "#/methods"), "."));
}

function input(one, required) {
  const options = one.name === "gender" ? { options: Object.entries(genders).map(([value, label]) => ({ value, label })) } : {};
  const type = { email: "email" }[one.name] ?? "text";
  return field(one.name, words[one.name] ?? one.name, { required, value: one.name === "birth_date" && one.value ? born(one.value, false) : one.value ?? "", ...(options.options ? options : { type }) });
}
