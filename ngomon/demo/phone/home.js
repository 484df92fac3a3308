// Who I am, and where I am signed in.
import { day, el, t, time } from "../static/dom.js";
import { call, forget } from "./api.js";
import { back, doing, show } from "./ui.js";
import { welcome } from "./signin.js";

const kinds = {
  national_id: t("Số định danh", "Personal number"), phone: t("Số điện thoại", "Phone"),
};

export async function home() {
  const me = await call("GET", "/v1/me");
  const greeting = sessionStorage.getItem("greeting");
  sessionStorage.removeItem("greeting");
  const entry = (to, text) => el("li", {}, el("button", { type: "button", onclick: () => { location.hash = to; } }, text, el("span", { "aria-hidden": "true" }, "›")));
  const numbers = [...me.identifiers, ...me.phones.map((one) => ({ type: "phone", value: one }))];
  show(t("Tài khoản", "Account"),
    greeting && el("p", { class: "alert wait", role: "status" }, greeting),
    el("div", { class: "me" },
      el("div", { class: "avatar", "aria-hidden": "true" }, me.full_name.split(" ").pop()[0]),
      el("div", {}, el("strong", {}, me.full_name), el("div", {}, el("span", { class: "chip" }, t(`Mức độ ${me.assurance_level}`, `Level ${me.assurance_level}`))))),
    el("dl", { class: "facts" }, numbers.flatMap((one) => [el("dt", {}, kinds[one.type] ?? one.type), el("dd", {}, one.value)])),
    el("ul", { class: "plain menu actions" },
      entry("#/roles", t("Vai trò", "Roles")),
      entry("#/requests", t("Yêu cầu của tôi", "My requests")),
      entry("#/devices", t("Thiết bị", "Devices"))));
}

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
