// Who I am, what I have to read, and where I am signed in.
import { day, el, t, time } from "../static/dom.js";
import { call, forget } from "./api.js";
import { first } from "./notices.js";
import { back, doing, menu, show } from "./ui.js";
import { welcome } from "./signin.js";

const kinds = {
  national_id: t("Số định danh", "Personal number"), old_id_number: t("Số CMND", "Old number"), phone: t("Số điện thoại", "Phone"),
  tax_code: t("Mã số thuế", "Tax code"), agency_code: t("Mã đơn vị", "Agency code"),
};

export async function home() {
  const [me, waiting] = await Promise.all([call("GET", "/v1/me"), first()]);
  const numbers = [...me.identifiers, ...me.phones.map((one) => ({ type: "phone", value: one }))];
  show(t("Tài khoản", "Account"), waiting,
    el("div", { class: "me" },
      el("div", { class: "avatar", "aria-hidden": "true" }, me.full_name.split(" ").pop()[0].toUpperCase()),
      el("div", {}, el("strong", {}, me.full_name), el("div", {}, el("span", { class: "chip" }, level(me))))),
    el("dl", { class: "facts" }, numbers.flatMap((one) => [el("dt", {}, kinds[one.type] ?? one.type), el("dd", {}, one.value)])),
    menu([
      ...(me.kind === "citizen" ? [[t("Vai trò", "Roles"), "#/roles"], [t("Yêu cầu của tôi", "My requests"), "#/requests"]] : []),
      [t("Thông tin định danh", "Identity"), "#/identity"], [t("Phương thức xác thực", "Sign-in methods"), "#/methods"],
      [t("Lịch sử truy cập", "Access history"), "#/history"], [t("Thiết bị", "Devices"), "#/devices"],
      [t("Đăng nhập không gian làm việc", "Sign in to the workspace"), "#/scan"], [t("Thông báo", "Notices"), "#/notices"], [t("Hỗ trợ", "Support"), "#/support"],
      [t("Dữ liệu cá nhân", "Personal data"), "#/privacy"]]));
}

/** Whose number the level is: VNeID counts to 2, the others follow IAL (rule 107). */
const level = (me) => (me.assurance_scheme === "ial" ? t(`Mức xác minh ${me.assurance_level}`, `Assurance level ${me.assurance_level}`) : t(`Mức độ ${me.assurance_level}`, `Level ${me.assurance_level}`));

export async function devices() {
  const { items } = await call("GET", "/v1/sessions");
  const tile = (one) => {
    const button = el("button", { type: "button", class: "danger small" }, one.current ? t("Đăng xuất", "Sign out") : t("Kết thúc", "End"));
    button.addEventListener("click", doing(button, async () => {
      await call("DELETE", `/v1/sessions/${one.current ? "current" : one.id}`);
      if (!one.current) return devices();
      await forget();
      return welcome();
    }));
    return el("li", { class: "tile" },
      el("div", { class: "row spread" }, el("strong", {}, one.device?.name ?? one.kind),
        one.current && el("span", { class: "chip good" }, t("Máy này", "This phone"))),
      el("small", {}, t("Dùng lần cuối ", "Last used "), `${time(one.last_seen_at)}, ${day(one.last_seen_at)}`), el("div", {}, button));
  };
  show(t("Thiết bị", "Devices"), back("#/home"),
    el("p", { class: "soft" }, t("Mỗi thời điểm chỉ một thiết bị di động được đăng nhập.", "One mobile device is signed in at any time.")),
    el("ul", { class: "plain actions" }, items.map(tile)));
}
