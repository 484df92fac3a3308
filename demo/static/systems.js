// The page of the stand-in systems: what each holds, and the buttons that break and heal it.
import { el, t, time, post, watch } from "./dom.js";

const place = document.getElementById("systems");
const moods = {
  well: [t("Hoạt động", "Running"), "good"], broken: [t("Đang hỏng (503)", "Broken (503)"), "bad"],
  slow: [t("Rất chậm", "Very slow"), "wait"], refusing: [t("Từ chối dữ liệu (400)", "Refuses data (400)"), "bad"],
};

function switches(system) {
  const set = (mood) => async () => { await post(`/demo/systems/${system.name}/switch`, { mood }); look(); };
  const key = (mood, text, kind) =>
    el("button", { type: "button", class: `small ${kind}`, "data-key": `${system.name} ${mood}`, onclick: set(mood) }, text);
  if (system.mood !== "well") return [key("well", t("Sửa lại", "Heal"), "")];
  return [
    key("broken", t("Làm hỏng", "Break"), "danger"),
    key("slow", t("Làm chậm", "Slow down"), "quiet"),
    key("refusing", t("Từ chối", "Refuse"), "quiet"),
  ];
}

function person(one) {
  return el("li", {},
    el("div", { class: "row spread" },
      el("strong", {}, one.name),
      el("span", { class: one.active ? "chip good" : "chip" }, one.active ? t("Đang dùng", "Active") : t("Đã vô hiệu", "Deactivated"))),
    el("small", {}, [one.title, one.unit].filter(Boolean).join(" · ")),
    one.groups.length > 0 && el("div", { class: "chips" }, one.groups.map((name) => el("span", { class: "chip" }, name))));
}

const SHOWN = Number(place.dataset.people ?? 4); // fewer in the cockpit

/** Who arrived last stands first; the many before are folded away. */
function people(system) {
  if (!system.people.length) return [el("p", { class: "soft" }, t("Chưa nhận được ai.", "Nobody has arrived yet."))];
  const rest = system.people.slice(SHOWN);
  return [
    el("ul", { class: "plain ruled" }, system.people.slice(0, SHOWN).map(person)),
    rest.length > 0 && el("details", { "data-open": `${system.name} rest` },
      el("summary", {}, t(`Và ${rest.length} người khác`, `And ${rest.length} others`)),
      el("ul", { class: "plain ruled" }, rest.map(person))),
  ];
}

function card(system) {
  const [mood, kind] = moods[system.mood];
  return el("section", { class: "card stack", "aria-label": t(system.title_vi, system.title_en) },
    el("div", { class: "row spread top" },
      el("h2", {}, t(system.title_vi, system.title_en)), el("span", { class: `chip ${kind}` }, mood)),
    el("div", { class: "row" }, switches(system)),
    people(system),
    el("details", { "data-open": system.name },
      el("summary", {}, t("Các lời gọi gần đây", "Latest calls")),
      el("ul", { class: "plain" }, system.seen.map((one) =>
        el("li", {}, el("code", {}, `${time(one.at)} ${one.method} ${one.path} → ${one.status}`))))));
}

function draw(said) {
  const focused = document.activeElement?.dataset?.key;
  const open = new Set([...place.querySelectorAll("details[open]")].map((node) => node.dataset.open));
  place.replaceChildren(...said.items.map(card));
  for (const node of place.querySelectorAll("details")) node.open = open.has(node.dataset.open);
  if (focused) {
    const again = place.querySelector(`[data-key="${focused}"]`) ?? place.querySelector(`[data-key="${focused.split(" ")[0]} well"]`);
    again?.focus();
  }
}

const look = watch("/demo/systems.json", 2, draw);
