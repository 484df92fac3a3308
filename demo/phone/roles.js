// Roles, and the requests that change them: where each is, and in which systems it is in force.
import { day, el, t, time } from "../static/dom.js";
import { call } from "./api.js";
import { back, doing, onLeave, show } from "./ui.js";

const POLL = 2000;
const states = {
  active: [t("Đang hiệu lực", "In force"), "good"], scheduled: [t("Đã lên lịch", "Scheduled"), "wait"],
  suspended: [t("Tạm dừng", "Suspended"), "wait"], ended: [t("Đã kết thúc", "Ended"), ""],
  pending: [t("Chờ duyệt", "Pending"), "wait"], returned: [t("Trả lại để bổ sung", "Returned"), "bad"],
  approved: [t("Đã duyệt", "Approved"), "good"], rejected: [t("Bị từ chối", "Rejected"), "bad"],
  withdrawn: [t("Đã rút", "Withdrawn"), ""], expired: [t("Hết hạn", "Expired"), ""],
};
const syncs = {
  held: [t("Sắp gửi", "About to go"), "wait"], pending: [t("Đang chờ", "Waiting"), "wait"],
  delivering: [t("Đang gửi", "Going"), "wait"], synced: [t("Đã đồng bộ", "In force"), "good"],
  retrying: [t("Đang thử lại", "Trying again"), "wait"], dead: [t("Lỗi", "Failed"), "bad"],
  drift: [t("Lệch", "Differs"), "bad"], paused: [t("Tạm dừng", "Paused"), "wait"], skipped: [t("Đã bỏ qua", "Passed over"), "mute"],
};
const kinds = {
  register: t("Đăng ký vai trò", "Register a role"), amend: t("Điều chỉnh vai trò", "Amend a role"),
  transfer: t("Chuyển đơn vị", "Change unit"), end: t("Kết thúc vai trò", "End a role"),
};
const duties = {
  release: t("Đơn vị cũ cho chuyển", "The old unit releases"), receive: t("Đơn vị mới tiếp nhận", "The new unit receives"),
  approve: t("Đơn vị phê duyệt", "The unit approves"),
};

const fresh = (one) => one.settled_at && new Date(one.settled_at) > new Date();
const open = [t("Vừa quyết định, còn có thể thay đổi", "Just decided, may still change"), "wait"];
const stateOf = (one) => (fresh(one) ? open : states[one.state ?? one.status]);
const chip = ([text, kind]) => el("span", { class: `chip ${kind}` }, text);
const go = (to, text, kind = "quiet") => el("button", { type: "button", class: `small ${kind}`, onclick: () => { location.hash = to; } }, text);

/** What each position is called, in the reader's language. */
export async function positionNames() {
  const { items } = await call("GET", "/v1/positions");
  return Object.fromEntries(items.map((one) => [one.code, one.label]));
}

export async function roles() {
  const [{ items }, positions] = await Promise.all([call("GET", "/v1/roles"), positionNames()]);
  const current = items.filter((one) => one.state !== "ended");
  const tile = (one) => el("li", { class: "tile" },
    el("div", { class: "row spread" }, el("strong", {}, positions[one.position] ?? one.position), chip(stateOf(one))),
    el("div", {}, one.unit_name),
    el("small", {}, t("Từ ", "From "), day(one.from), one.until ? t(" đến ", " until ") + day(one.until) : ""),
    one.state === "active" && el("div", { class: "row" },
      go(`#/form/amend/${one.id}`, t("Điều chỉnh", "Amend")),
      go(`#/form/transfer/${one.id}`, t("Chuyển đơn vị", "Change unit")),
      go(`#/form/end/${one.id}`, t("Kết thúc", "End"), "danger")));
  show(t("Vai trò", "Roles"), back("#/home"),
    items.length ? el("ul", { class: "plain" }, items.map(tile)) : el("p", { class: "soft" }, t("Bạn chưa có vai trò nào.", "You have no role yet.")),
    el("div", { class: "actions" },
      !current.length && el("button", { type: "button", class: "wide", onclick: () => { location.hash = "#/form/register"; } }, t("Đăng ký", "Register")),
      el("button", { type: "button", class: "wide quiet", onclick: () => { location.hash = "#/requests"; } }, t("Yêu cầu của tôi", "My requests"))));
}

export async function requests() {
  const { items } = await call("GET", "/v1/role-requests");
  show(t("Yêu cầu của tôi", "My requests"), back("#/roles"),
    items.length
      ? el("ul", { class: "plain menu" }, items.map((one) => el("li", {},
          el("button", { type: "button", onclick: () => { location.hash = `#/requests/${one.id}`; } }, kinds[one.kind], chip(stateOf(one))))))
      : el("p", { class: "soft" }, t("Bạn chưa gửi yêu cầu nào.", "You have made no request.")));
}

export async function oneRequest(id) {
  let shown = "";
  const positions = await positionNames();
  const look = async () => {
    const found = { ...await call("GET", `/v1/role-requests/${id}`), positions };
    const text = JSON.stringify([found, fresh(found)]);
    if (text !== shown) draw(found);
    shown = text;
    return found;
  };
  if (settled(await look())) return;
  const timer = setInterval(async () => {
    if (document.hidden) return;
    try {
      if (settled(await look())) clearInterval(timer);
    } catch { /* the next look says it, or the heartbeat does */ }
  }, POLL);
  onLeave(() => clearInterval(timer));
}

const isOpen = (found) => ["pending", "returned"].includes(found.status);
const settled = (found) =>
  !isOpen(found) && !fresh(found) && (found.status !== "approved" || found.sync.every((one) => one.state === "synced"));

function draw(found) {
  const place = document.getElementById("request");
  const parts = [
    el("div", { class: "row spread" }, el("strong", {}, kinds[found.kind]), chip(stateOf(found))),
    el("div", {}, [found.positions[found.position], found.unit_name].filter(Boolean).join(" · ")),
    found.denied && el("div", { class: "alert bad" }, t("Bạn đã báo rằng lần đăng nhập gửi yêu cầu này không phải của bạn.", "You said that the sign-in that sent this was not yours.")),
    found.effective_on && el("small", {}, t("Hiệu lực từ ", "Effective from "), day(found.effective_on)),
    el("h3", {}, t("Các bước", "Steps")), el("ol", { class: "steps" }, found.steps.map((one) => step(one, found))),
    found.sync.length > 0 && el("h3", {}, t("Các hệ thống liên quan", "Systems")),
    found.sync.length > 0 && el("ul", { class: "plain" }, found.sync.map((one) =>
      el("li", { class: "row spread" }, one.system, chip(syncs[one.state])))),
    actions(found),
  ].filter(Boolean);
  if (place) place.replaceChildren(...parts);
  else show(t("Yêu cầu", "Request"), back("#/requests"), el("div", { id: "request", class: "stack" }, parts));
}

function step(one, found) {
  const done = { approved: "done", rejected: "no", returned: "no" }[one.decision] ?? "";
  const waiting = isOpen(found) ? t("Đang chờ", "Waiting") : t("Không còn chờ", "No longer waiting");
  const word = one.decision ? states[one.decision][0] : waiting;
  return el("li", { class: done },
    el("div", {}, duties[one.duty], ": ", el("strong", {}, one.unit_name)),
    el("small", {}, word, one.by ? `, ${one.by}` : "", one.at ? `, ${time(one.at)} ${day(one.at)}` : ""),
    one.reason && el("div", { class: "alert wait" }, t("Lý do: ", "Reason: "), one.reason));
}

function actions(found) {
  if (!found.can_correct && !found.can_withdraw) return null;
  const withdraw = el("button", { type: "button", class: "danger small" }, t("Rút yêu cầu", "Withdraw"));
  withdraw.addEventListener("click", doing(withdraw, async () => {
    await call("POST", `/v1/role-requests/${found.id}/withdraw`, { body: {} });
    draw({ ...found, ...await call("GET", `/v1/role-requests/${found.id}`) });
  }));
  return el("div", { class: "row actions" },
    found.can_correct && go(`#/again/${found.id}`, t("Sửa và gửi lại", "Correct and send again"), ""), found.can_withdraw && withdraw);
}

export { kinds };
