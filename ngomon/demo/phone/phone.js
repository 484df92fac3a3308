// The phone starts here: which phone am I, am I signed in, which screen is meant.
import { t } from "../static/dom.js";
import { call, device, forget, publicUrl, session } from "./api.js";
import { devices, home } from "./home.js";
import { oneRequest, requests, roles } from "./roles.js";
import { againForm, requestForm } from "./roleform.js";
import { replaced, returned, welcome, wrongAddress } from "./signin.js";
import { back, complain, show } from "./ui.js";

const screens = [
  [/^#\/home$/, home], [/^#\/devices$/, devices], [/^#\/roles$/, roles], [/^#\/requests$/, requests],
  [/^#\/requests\/([\w-]+)$/, oneRequest], [/^#\/form\/(register|amend|transfer|end)(?:\/([\w-]+))?$/, requestForm],
  [/^#\/again\/([\w-]+)$/, againForm],
];
const over = ["session_revoked", "token_invalid", "account_closed", "token_expired"];

async function open() {
  if (!(await session())) return welcome();
  const [pattern, screen] = screens.find(([one]) => one.test(location.hash)) ?? screens[0];
  try {
    await screen(...(pattern.exec(location.hash) ?? []).slice(1));
  } catch (problem) {
    await trouble(problem);
  }
}

/** Every screen's problems end here: some mean that this phone is signed out. */
async function trouble(problem) {
  if (problem.code === "session_replaced") return replaced(problem);
  if (over.includes(problem.code)) {
    await forget();
    return welcome(problem);
  }
  show(t("Có trục trặc", "Something went wrong"), back("#/home"));
  complain(problem);
}

/** While the phone lies open it asks now and then whether it is still the one. */
async function heartbeat() {
  if (document.hidden || !(await session())) return;
  try {
    await call("GET", "/v1/me");
  } catch (problem) {
    if (problem.code === "session_replaced" || over.includes(problem.code)) await trouble(problem);
  }
}

function beside() {
  document.getElementById("which").textContent = t(`Đây là điện thoại số ${device}.`, `This is phone ${device}.`);
  const other = document.getElementById("other");
  other.href = device === 1 ? "/demo/phone?device=2" : "/demo/phone";
  other.textContent = device === 1 ? t("Mở điện thoại thứ hai", "Open a second phone") : t("Mở điện thoại thứ nhất", "Open the first phone");
  const clock = document.getElementById("clock");
  const tick = () => { clock.textContent = new Date().toLocaleTimeString("vi-VN", { hour: "2-digit", minute: "2-digit", timeZone: "Asia/Ho_Chi_Minh" }); };
  setInterval(tick, 10000);
  tick();
}

if (wrongAddress()) {
  location.replace(publicUrl + location.pathname + location.search);
} else {
  beside();
  addEventListener("hashchange", open);
  setInterval(heartbeat, 5000);
  if (location.pathname === "/app/vneid") await returned(new URLSearchParams(location.search));
  else await open();
}
