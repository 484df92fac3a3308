// Personal data: what may be done with them and why, a copy of everything, and the end of the account (rule 903).
import { day, el, t } from "../static/dom.js";
import { call, forget } from "./api.js";
import { welcome } from "./signin.js";
import { back, confirmed, doing, greet, remedies, show } from "./ui.js";

const purposes = {
  sign_in: t("Xác định bạn là ai khi đăng nhập", "Knowing who you are when you sign in"), access_history: t("Lịch sử truy cập", "The access history"),
  roles: t("Quản lý vai trò cán bộ", "Managing roles of officials"), support: t("Hỗ trợ khi bạn yêu cầu", "Helping you when you ask"),
  notices_by_sms: t("Nhận kết quả xét duyệt vai trò qua tin nhắn", "Decisions on role requests by text message"),
};
const bases = { consent: t("sự đồng ý của bạn", "your consent"), public_duty: t("nhiệm vụ do luật định", "a duty set by law"), contract: t("thỏa thuận sử dụng dịch vụ", "the service agreement") };

export async function privacy() {
  const { items } = await call("GET", "/v1/me/consents");
  const copy = el("button", { type: "button", class: "wide quiet" }, t("Tải bản sao dữ liệu của tôi", "Download a copy of my data"));
  copy.addEventListener("click", doing(copy, async () => save(await call("GET", "/v1/me/export"))));
  const erase = el("button", { type: "button", class: "wide danger" }, t("Xóa tài khoản", "Erase the account"));
  erase.addEventListener("click", doing(erase, async () => {
    const sure = await confirmed(t("Xóa tài khoản và dữ liệu cá nhân? Việc này không làm lại được.", "Erase the account and its data? This cannot be undone."), t("Xóa", "Erase"));
    if (!sure) return;
    await call("DELETE", "/v1/me");
    await forget();
    greet(t("Tài khoản đã được xóa.", "The account is erased."));
    welcome();
  }));
  show(t("Dữ liệu cá nhân", "Personal data"), back("#/home"), el("h3", {}, t("Được dùng để làm gì, dựa trên căn cứ nào", "What they are used for, and on what ground")),
    el("ul", { class: "plain" }, items.map(purpose)), el("div", { class: "actions" }, copy, erase));
}

/** A purpose that rests on consent can be allowed and taken back; the others are told, not asked. */
function purpose(one) {
  const name = purposes[one.purpose] ?? one.purpose;
  const ground = el("small", {}, t("Căn cứ: ", "Ground: "), bases[one.basis] ?? one.basis, since(one));
  if (one.basis !== "consent") return el("li", { class: "tile" }, el("strong", {}, name), el("div", {}, ground));
  const id = `c-${one.purpose}`;
  const box = el("input", { type: "checkbox", id, checked: Boolean(one.given_at) && !one.withdrawn_at });
  box.addEventListener("change", doing(box, async () => {
    try {
      const now = await call("PUT", `/v1/me/consents/${one.purpose}`, { body: { given: box.checked } });
      ground.lastChild.textContent = since(now);
    } catch (problem) {
      box.checked = !box.checked;
      throw problem;
    }
  }));
  return el("li", { class: "tile" }, el("label", { class: "tick", for: id }, box, " ", name), ground);
}

function since(one) {
  if (one.withdrawn_at) return t("; rút ngày ", "; withdrawn ") + day(one.withdrawn_at);
  return one.given_at ? t("; từ ngày ", "; since ") + day(one.given_at) : " ";
}

/** Hands the copy to the browser as a file. */
function save(copy) {
  const href = URL.createObjectURL(new Blob([JSON.stringify(copy, null, 2)], { type: "application/json" }));
  const anchor = el("a", { href, download: "du-lieu-cua-toi.json" });
  anchor.click();
  URL.revokeObjectURL(href);
}

remedies.erasure_refused = ({ reasons = [] }) => el("ul", {}, reasons.map((one) => el("li", {}, [one.what, one.basis, one.until && t("đến ", "until ") + day(one.until)].filter(Boolean).join("; "))));
