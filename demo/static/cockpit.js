// The cockpit: six steps that say what has really happened, and on a narrow screen one pane at a time.
import { t, time, watch } from "./dom.js";

const place = document.querySelector(".cockpit");
const news = document.getElementById("news");
const own = new URL(place.dataset.publicUrl);
if (location.origin !== own.origin) location.replace(own.origin + location.pathname + location.search + location.hash);

const STATES = {
  pending: t("Đang chờ thủ trưởng", "Waiting for the manager"), returned: t("Đã trả lại để sửa", "Returned to be corrected"),
  rejected: t("Đã từ chối", "Rejected"), withdrawn: t("Đã rút lại", "Withdrawn"), expired: t("Đã quá hạn", "Expired"),
};
const names = (down) => down.map(([vi, en]) => t(vi, en)).join(", ");
const broken = ({ down, of, reached }) => t(`${names(down)} đang gặp sự cố: ${of - reached} thay đổi đang chờ`, `Out of order: ${names(down)}; ${of - reached} changes wait`);
const SAID = {
  "sign-in": (one) => one.done && [one.who, one.at && time(one.at)].filter(Boolean).join(" · "),
  phone: (one) => one.done && t(`Số đã xác nhận lúc ${time(one.at)}`, `Number confirmed at ${time(one.at)}`),
  role: (one) => one.done && t(`Đã gửi lúc ${time(one.at)}`, `Sent at ${time(one.at)}`),
  approve: (one) => (one.done ? `${one.who} · ${time(one.at)}` : STATES[one.state]),
  "in-force": (one) => (one.done || one.reached > 0) && t(`${one.reached}/${one.of} hệ thống đang giữ vai trò`, `${one.reached} of ${one.of} systems hold it`),
  heal: (one) => {
    if (one.down.length) return broken(one);
    if (one.done) return t(`${one.reached} thay đổi đã tự đến nơi`, `${one.reached} changes arrived by themselves`);
    return one.of > 0 && t("Đang tự gửi lại…", "Being sent again…");
  },
};

let before = null;
function draw({ items }) {
  const next = items.find((one) => !one.done)?.name;
  for (const one of items) {
    const line = place.querySelector(`[data-step="${one.name}"]`);
    line.classList.toggle("done", one.done);
    if (one.name === next) line.setAttribute("aria-current", "step");
    else line.removeAttribute("aria-current");
    line.querySelector(".said").textContent = SAID[one.name](one) || "";
    if (before && one.done && !before.has(one.name)) news.textContent = t("Đã xong: ", "Done: ") + line.querySelector("h2").textContent;
  }
  before = new Set(items.filter((one) => one.done).map((one) => one.name));
}

/** The address says which pane a narrow screen shows, so that Back goes back. */
function turn() {
  const [, pane] = /^#pane-(\w+)$/.exec(location.hash) ?? [];
  document.body.classList.toggle("viewing", Boolean(pane));
  for (const one of place.querySelectorAll(".pane")) one.classList.toggle("shown", one.dataset.shown === pane);
  for (const link of place.querySelectorAll(".switcher a")) {
    if (link.dataset.shows === (pane ?? "steps")) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
}

place.classList.add("lively");
addEventListener("hashchange", turn);
turn();
watch("/demo/steps.json", 1, draw);
