// What has to be read before anything else, and “this was not me” (source 004, part 2).
import { day, el, t, time } from "../static/dom.js";
import { call, session } from "./api.js";
import { back, doing, show } from "./ui.js";

const unread = (one) => one.first && !one.read_at;

/** The notices that stand above everything on the home screen, or nothing. */
export async function first() {
  const { items } = await call("GET", "/v1/notices");
  const waiting = items.filter(unread);
  return waiting.length > 0 && folded(waiting, (n) => (n === 1 ? t("1 thông báo cần đọc", "1 notice to read") : t(`${n} thông báo cần đọc`, `${n} notices to read`)));
}

/** One line that opens, so that what somebody came for stays in sight (case W16): how many, and what the first is about. */
function folded(some, words) {
  const count = el("strong", {}, words(some.length));
  const title = el("span", {}, some[0].title);
  const box = el("details", { class: "first" }, el("summary", {}, count, ": ", title));
  const read = () => {
    const left = [...box.querySelectorAll("article > strong")];
    if (!left.length) return box.remove();
    count.textContent = words(left.length);
    title.textContent = left[0].textContent;
  };
  box.append(...some.map((one) => card(one, read)));
  return box;
}

/** What everybody sees, also before signing in. */
export async function announcements() {
  try {
    const { items } = await call("GET", "/v1/notices", { open: true });
    return items.length > 0 && folded(items.slice(0, 2), () => t("Thông báo", "Announcement"));
  } catch {
    return null; // the welcome screen stands without them
  }
}

export async function notices() {
  const { items } = await call("GET", "/v1/notices");
  show(t("Thông báo", "Notices"), back("#/home"),
    items.length ? el("div", {}, items.map((one) => card(one))) : el("p", { class: "soft" }, t("Chưa có thông báo nào.", "No notices yet.")));
}

function card(one, afterwards) {
  const made = el("article", { class: unread(one) ? "tile notice unread" : "tile notice", "data-kind": one.kind });
  draw(made, one, afterwards);
  return made;
}

async function draw(made, one, afterwards) {
  const asked = Boolean(await session());
  const read = asked && unread(one) && el("button", { type: "button", class: "small quiet" }, t("Đã đọc", "I have read it"));
  const deny = asked && one.can_deny && el("button", { type: "button", class: "small danger" },
    one.kind === "role_changed" ? t("Báo nhầm lẫn", "Report a mistake") : t("Không phải tôi", "This was not me"));
  if (read) read.addEventListener("click", doing(read, async () => { await call("POST", `/v1/notices/${one.id}/read`, { body: {} }); made.remove(); afterwards?.(); }));
  if (deny) deny.addEventListener("click", doing(deny, async () => opened(made, await call("POST", `/v1/notices/${one.id}/deny`, { body: {}, key: crypto.randomUUID() }))));
  made.replaceChildren(...[el("strong", {}, one.title), el("p", {}, one.body), el("small", {}, `${time(one.at)}, ${day(one.at)}`), (read || deny) && el("div", { class: "row actions" }, read, deny)].filter(Boolean));
}

/** A case is open: its code, and whom the code may be expected from. */
function opened(made, found) {
  made.replaceChildren(el("div", { role: "status" },
    el("strong", {}, t("Đã mở yêu cầu hỗ trợ", "A support case is open")), el("p", { class: "code" }, found.code), desk(found.desk)));
}

/** Who stands behind a case: nobody else speaks for it. */
export function desk(one) {
  return one && el("dl", { class: "facts stacked" },
    [[t("Đầu mối", "Desk"), one.name], [t("Thư điện tử", "Mailbox"), one.mailbox], [t("Điện thoại", "Phone"), one.phone]]
      .filter(([, value]) => value).flatMap(([name, value]) => [el("dt", {}, name), el("dd", {}, value)]));
}
