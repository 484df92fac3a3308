// Roles, and the requests that change them: where each is, and in which systems it is in force.
import { day, el, t, time } from "../static/dom.js";
import { call } from "./api.js";
import { back, doing, onLeave, show } from "./ui.js";

const POLL = 2000;
const states = {
  active: [t("Đang có hiệu lực", "In force"), "good"], scheduled: [t("Chờ đến ngày hiệu lực", "Scheduled"), "wait"],
  suspended: [t("Tạm ngưng", "Suspended"), "wait"], ended: [t("Đã kết thúc", "Ended"), ""],
  pending: [t("Chờ duyệt", "Pending"), "wait"], returned: [t("Đã trả lại để bổ sung", "Returned"), "bad"],
  approved: [t("Đã được phê duyệt", "Approved"), "good"], rejected: [t("Đã bị từ chối", "Rejected"), "bad"],
  withdrawn: [t("Đã rút", "Withdrawn"), ""], expired: [t("Đã quá hạn", "Expired"), ""],
};
const planned = [t("Đã được phê duyệt, chờ đến ngày hiệu lực", "Approved, not in force yet"), "wait"];
const today = () => new Intl.DateTimeFormat("sv-SE", { timeZone: "Asia/Ho_Chi_Minh" }).format(new Date());
const isPlanned = (one) => one.status === "approved" && one.effective_on > today();
const cancelled = [t("Đã hủy trước ngày hiệu lực", "Cancelled before it began"), ""];
const syncs = {
  held: [t("Chờ gửi", "About to go"), "wait"], pending: [t("Đang chờ", "Waiting"), "wait"],
  delivering: [t("Đang gửi", "Going"), "wait"], synced: [t("Đã đồng bộ", "In force"), "good"],
  retrying: [t("Lỗi, đang chờ gửi lại", "Trying again"), "wait"], dead: [t("Lỗi, cần xử lý", "Failed"), "bad"],
  drift: [t("Lệch dữ liệu", "Differs"), "bad"], paused: [t("Hệ thống tạm dừng", "Paused"), "wait"], skipped: [t("Đã bỏ qua", "Passed over"), "mute"],
};
const kinds = {
  register: t("Đăng ký vai trò", "Register a role"), amend: t("Điều chỉnh vai trò", "Amend a role"),
  transfer: t("Chuyển công tác", "Transfer"), concurrent: t("Kiêm nhiệm", "Concurrent post"), end: t("Kết thúc vai trò", "End role"),
  suspension: t("Tạm đình chỉ", "Suspension"), separation: t("Cho nghỉ việc", "Separation"),
};
export const movements = {
  transfer: t("Điều động, thuyên chuyển", "Transfer"), rotation: t("Luân chuyển", "Rotation"), secondment: t("Biệt phái", "Secondment"),
  appointment: t("Bổ nhiệm", "Appointment"), dismissal: t("Miễn nhiệm, từ chức, cách chức", "Dismissal"),
};
const duties = {
  release: t("Đơn vị đang công tác đồng ý cho chuyển", "The present unit releases"), receive: t("Đơn vị mới tiếp nhận", "The new unit receives"),
  approve: t("Đơn vị phê duyệt", "Unit approval"), confirm: t("Người thứ hai phê duyệt", "A second person approves"),
};
const dutyOf = (found, duty) => (found.kind === "concurrent" && duty === "release" ? t("Đơn vị đang công tác đồng ý cho kiêm nhiệm", "The present unit agrees") : duties[duty]);
const holds = {
  applicant_frozen: t("Tài khoản đang tạm khóa; yêu cầu chờ đến khi tài khoản được mở lại.", "The account is frozen; the request waits until it is open again."),
  applicant_not_vouched: t("Cần đăng nhập bằng VNeID mức độ 2 thì yêu cầu mới được giải quyết.", "Sign in by VNeID of level 2, so that it can be granted."),
};

const fresh = (one) => one.settled_at && new Date(one.settled_at) > new Date();
const open = [t("Vừa quyết định, còn có thể thay đổi", "Just decided, may still change"), "wait"];
const stateOf = (one) => (fresh(one) ? open : one.cancelled ? cancelled : isPlanned(one) ? planned : states[one.state ?? one.status]);
const nameOf = (one) => (one.kind === "transfer" && movements[one.movement]) || kinds[one.kind];
const chip = ([text, kind]) => el("span", { class: `chip ${kind}` }, text);
const go = (to, text, kind = "quiet") => el("button", { type: "button", class: `small ${kind}`, onclick: () => { location.hash = to; } }, text);

/** What each position is called, in the reader's language. */
export async function positionNames() {
  const { items } = await call("GET", "/v1/positions");
  return Object.fromEntries(items.map((one) => [one.code, one.label]));
}

/** Looks again while the screen stands, and draws what has changed; `look` says whether nothing more is to come. */
async function follow(look) {
  const here = location.hash;
  if (await look() || location.hash !== here) return;
  const timer = setInterval(async () => {
    if (document.hidden) return;
    try {
      if (await look()) clearInterval(timer);
    } catch { /* the next look says it, or the heartbeat does */ }
  }, POLL);
  onLeave(() => clearInterval(timer));
}

export async function roles() {
  const positions = await positionNames();
  const place = el("div", { class: "stack" });
  let shown = "";
  show(t("Vai trò", "Roles"), back("#/home"), place);
  await follow(async () => {
    const [{ items }, asked] = await Promise.all([call("GET", "/v1/roles"), call("GET", "/v1/role-requests")]);
    const text = JSON.stringify([items, asked.items, asked.items.map(fresh)]);
    if (text !== shown) place.replaceChildren(...drawn(items, positions, asked));
    shown = text;
  });
}

function drawn(items, positions, asked) {
  const current = items.filter((one) => one.state !== "ended");
  const waits = asked.items.find(isOpen); // one request at a time: while it waits nothing else can be asked for
  const standing = current.some((one) => one.state === "suspended" && one.resumes_on); // a secondment is ended, never moved
  const tile = (one) => el("li", { class: "tile" },
    el("div", { class: "row spread" }, el("strong", {}, positions[one.position] ?? one.position), chip(stateOf(one))),
    el("div", {}, one.unit_name),
    one.kind === "concurrent" && el("small", {}, kinds.concurrent, " · "),
    el("small", {}, t("Từ ", "From "), day(one.from), one.until ? t(" đến ", " until ") + day(one.until) : "",
      one.resumes_on ? t(` · có hiệu lực trở lại ngày ${day(one.resumes_on)}`, ` · in force again on ${day(one.resumes_on)}`) : ""),
    one.state === "active" && !waits && el("div", { class: "row" },
      go(`#/form/amend/${one.id}`, t("Sửa", "Amend")),
      one.kind === "home" && !standing && go(`#/form/transfer/${one.id}`, kinds.transfer),
      one.kind === "home" && !standing && go(`#/form/concurrent/${one.id}`, kinds.concurrent),
      go(`#/form/end/${one.id}`, t("Kết thúc", "End"), "danger")));
  return [
    waits && el("p", { class: "alert wait" }, t("Bạn đang có một yêu cầu chưa được giải quyết: ", "A request of yours is open: "), go(`#/requests/${waits.id}`, nameOf(waits))),
    items.length ? el("ul", { class: "plain" }, items.map(tile)) : el("p", { class: "soft" }, t("Bạn chưa có vai trò nào.", "You have no role yet.")),
    el("div", { class: "actions" },
      !current.length && !waits && el("button", { type: "button", class: "wide", onclick: () => { location.hash = "#/form/register"; } }, t("Đăng ký", "Register")),
      el("button", { type: "button", class: "wide quiet", onclick: () => { location.hash = "#/requests"; } }, t("Yêu cầu của tôi", "My requests"))),
  ].filter(Boolean);
}

export async function requests() {
  const place = el("div", {});
  let shown = "";
  show(t("Yêu cầu của tôi", "My requests"), back("#/roles"), place);
  await follow(async () => {
    const { items } = await call("GET", "/v1/role-requests");
    const text = JSON.stringify(items.map((one) => [one.id, stateOf(one)]));
    if (text !== shown) place.replaceChildren(items.length
      ? el("ul", { class: "plain menu" }, items.map((one) => el("li", {},
          el("button", { type: "button", onclick: () => { location.hash = `#/requests/${one.id}`; } }, nameOf(one), chip(stateOf(one))))))
      : el("p", { class: "soft" }, t("Bạn chưa gửi yêu cầu nào.", "You have made no request.")));
    shown = text;
  });
}

export async function oneRequest(id) {
  let shown = "";
  const positions = await positionNames();
  const look = async () => {
    const found = { ...await call("GET", `/v1/role-requests/${id}`), positions };
    const text = JSON.stringify([found, fresh(found)]);
    if (text !== shown) draw(found);
    shown = text;
    return settled(found);
  };
  await follow(look);
}

const isOpen = (found) => ["pending", "returned"].includes(found.status);
const settled = (found) =>
  !isOpen(found) && !fresh(found) && (found.status !== "approved" || found.in_force.done === found.in_force.of);

function draw(found) {
  const place = document.getElementById("request");
  const parts = [
    el("div", { class: "row spread" }, el("strong", {}, nameOf(found)), chip(stateOf(found))),
    ...reasons(found), waitsFor(found),
    el("div", {}, [found.positions[found.position], found.unit_name].filter(Boolean).join(" · ")),
    found.denied && el("div", { class: "alert bad" }, t("Bạn đã báo rằng lần đăng nhập gửi yêu cầu này không phải của bạn.", "You said that the sign-in that sent this was not yours.")),
    found.on_hold && el("div", { class: "alert wait" }, holds[found.on_hold]),
    found.effective_on && el("small", {}, t("Hiệu lực từ ", "Effective from "), day(found.effective_on), found.until ? t(" đến ", " until ") + day(found.until) : ""),
    found.beside.map((one) => el("small", {}, one.kept ? t("Kiêm nhiệm giữ lại: ", "Concurrent post kept: ") : t("Kiêm nhiệm kết thúc theo: ", "Concurrent post that ends with it: "),
      [found.positions[one.position] ?? one.position, one.unit_name].join(" · "))),
    found.changes.map(changed),
    el("h3", {}, t("Các bước", "Steps")), el("ol", { class: "steps" }, found.steps.map((one) => step(one, found))),
    found.sync.length > 0 && el("h3", {}, t("Các hệ thống liên quan", "Systems")),
    found.sync.length > 0 && el("p", { id: "in-force" }, t(`Có hiệu lực ở ${found.in_force.done}/${found.in_force.of} hệ thống`, `In force in ${found.in_force.done} of ${found.in_force.of} systems`)),
    found.sync.length > 0 && el("ul", { class: "plain" }, found.sync.map((one) =>
      el("li", { class: "row spread" }, one.system, chip(syncs[one.state])))),
    actions(found),
  ].flat().filter(Boolean);
  if (place) place.replaceChildren(...parts);
  else show(t("Yêu cầu", "Request"), back("#/requests"), el("div", { id: "request", class: "stack" }, parts));
}

/** What stands above everything: why it came back, and what is to be done. */
function reasons(found) {
  if (found.status !== "returned" || fresh(found)) return [];
  return found.steps.filter((one) => one.decision === "returned").map((one) =>
    el("div", { class: "alert bad" }, t("Lý do trả lại: ", "Returned because: "), one.reason));
}

/** Who holds it, since when, and until when. */
function waitsFor(found) {
  const held = found.waiting_for;
  if (!held) return null;
  const unit = held.unit?.name ?? t("quản trị hệ thống, vì chưa đơn vị nào có người được giao phê duyệt", "the administrators: no unit has anybody who decides");
  return el("div", { class: "alert wait", id: "waiting-for" },
    t("Đang chờ ", "Waiting for "), el("strong", {}, unit), t(` từ ${time(held.since)} ${day(held.since)}`, ` since ${time(held.since)} ${day(held.since)}`),
    held.due_on ? t(`, hạn ${day(held.due_on)}`, `, due ${day(held.due_on)}`) : "",
    found.needs > 1 ? t(` (${found.given}/${found.needs} người đã phê duyệt)`, ` (${found.given} of ${found.needs} people have approved)`) : "");
}

/** What somebody corrected, old and new. */
function changed(one) {
  return el("div", { class: "tile" }, el("small", {}, t("Đã sửa: ", "Corrected by "), `${one.by}, ${time(one.at)} ${day(one.at)}`),
    el("ul", { class: "plain" }, one.differences.map((said) => el("li", {}, `${said.field}: ${said.old || "—"} → ${said.new || "—"}`))));
}

function step(one, found) {
  const done = { approved: "done", rejected: "no", returned: "no" }[one.decision] ?? "";
  const waiting = isOpen(found) ? t("Đang chờ", "Waiting") : t("Không còn chờ", "No longer waiting");
  const word = one.decision ? states[one.decision][0] : waiting;
  return el("li", { class: done },
    el("div", {}, dutyOf(found, one.duty), ": ", el("strong", {}, one.unit_name)),
    el("small", {}, word, one.by ? `, ${one.by}` : "", one.at ? `, ${time(one.at)} ${day(one.at)}` : ""),
    one.reason && el("div", { class: "alert wait" }, t("Lý do: ", "Reason: "), one.reason));
}

function actions(found) {
  if (!found.can_correct && !found.can_withdraw) return null;
  const planned = found.status === "approved";
  const withdraw = el("button", { type: "button", class: "danger small" },
    planned ? t("Hủy trước ngày hiệu lực", "Cancel before it begins") : t("Rút yêu cầu", "Withdraw"));
  withdraw.addEventListener("click", doing(withdraw, async () => {
    await call("POST", `/v1/role-requests/${found.id}/withdraw`, { body: {} });
    draw({ ...found, ...await call("GET", `/v1/role-requests/${found.id}`) });
  }));
  return el("div", { class: "row actions" },
    found.can_correct && go(`#/again/${found.id}`, planned ? t("Sửa", "Change") : t("Sửa và gửi lại", "Correct and send again"), ""), found.can_withdraw && withdraw);
}

export { kinds };
