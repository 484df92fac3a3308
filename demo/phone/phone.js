// The phone starts here: which phone am I, am I signed in, which screen is meant.
import { t } from "../static/dom.js";
import { call, device, forget, publicUrl, session } from "./api.js";
import { devices, home } from "./home.js";
import { editIdentity, identity } from "./identity.js";
import { changePhone } from "./lost.js";
import { addBy, addMethod, changePassword, history as visits, methods } from "./methods.js";
import { first, notices } from "./notices.js";
import { privacy } from "./privacy.js";
import { forgotten, mailPassword } from "./recover.js";
import { register, registerBy } from "./register.js";
import { oneRequest, requests, roles } from "./roles.js";
import { againForm, requestForm } from "./roleform.js";
import { scan, scanned } from "./scan.js";
import { replaced, returned, signIn, welcome, wrongAddress } from "./signin.js";
import { checkCode, newCase, support } from "./support.js";
import { back, complain, show } from "./ui.js";

const openToAll = [
  [/^#\/signin(?:\/(password|usb|sim|vneid|post_office))?$/, signIn], [/^#\/register(?:\/(citizen|enterprise|agency))?$/, register],
  [/^#\/register\/(citizen)\/(subscriber|social_insurance|post_office)$/, registerBy], [/^#\/register\/(citizen|enterprise|agency)\/(usb|sim)$/, registerBy],
  [/^#\/forgot$/, forgotten], [/^#\/mail-password$/, mailPassword], [/^#\/check$/, checkCode],
];
const signedIn = [
  [/^#\/home$/, home], [/^#\/devices$/, devices], [/^#\/roles$/, roles], [/^#\/requests$/, requests],
  [/^#\/requests\/([\w-]+)$/, oneRequest], [/^#\/form\/(register|amend|transfer|concurrent|end)(?:\/([\w-]+))?$/, requestForm],
  [/^#\/again\/([\w-]+)$/, againForm], [/^#\/identity$/, identity], [/^#\/identity\/edit$/, editIdentity],
  [/^#\/methods$/, methods], [/^#\/methods\/add$/, addMethod], [/^#\/methods\/add\/(usb|sim|phone)$/, addBy], [/^#\/phone$/, changePhone],
  [/^#\/password$/, changePassword], [/^#\/history$/, visits], [/^#\/notices$/, notices], [/^#\/support$/, support],
  [/^#\/support\/new$/, newCase], [/^#\/support\/new\/(unit)$/, newCase], [/^#\/privacy$/, privacy], [/^#\/check$/, checkCode],
  [/^#\/scan$/, scan], [/^#\/scan\/([\w-]+)$/, scanned],
];

document.documentElement.classList.toggle("framed", self !== top); // in the cockpit the page is all phone

let looked = location.pathname.startsWith("/app/"); // who comes back from a provider goes on where they were

/** What has to be read stands before everything, also before a screen that was opened by its address. */
async function readFirst() {
  looked = true;
  if (!["", "#/home"].includes(location.hash) && await first()) history.replaceState(null, "", "#/home");
}

async function open() {
  const held = await session();
  try {
    if (held && !looked) await readFirst();
    const known = held ? signedIn : openToAll;
    const at = location.hash;
    const [pattern, screen] = known.find(([one]) => one.test(at)) ?? (held ? signedIn[0] : [/^/, () => welcome()]);
    await screen(...(pattern.exec(at) ?? []).slice(1));
    document.getElementById("screen").dataset.shown = at;
  } catch (problem) {
    await trouble(problem);
  }
}

/** Every screen's problems end here: some mean that this phone is signed out. */
async function trouble(problem) {
  if (problem.code === "session_replaced") return replaced(problem);
  if (problem.isOver) {
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
    if (problem.isOver) await trouble(problem);
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
  const [, code] = /^\/app\/workspace-login\/([\w-]+)$/.exec(location.pathname) ?? [];
  if (code) {
    history.replaceState(null, "", `/demo/phone#/scan/${code}`);
    await open();
  } else if (location.pathname.startsWith("/app/")) await returned(new URLSearchParams(location.search));
  else await open();
}
