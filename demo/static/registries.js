// The page of the stand-in registries: who is in them, a form to add somebody, and the switch that breaks them.
import { born, day, el, t, post, watch } from "./dom.js";

const place = document.getElementById("registries");
const CAST = 11; // stands first, at every start
const moods = {
  well: [t("Hoạt động", "Running"), "good"], down: [t("Ngừng (503)", "Down (503)"), "bad"],
  slow: [t("Rất chậm", "Very slow"), "wait"], wrong_shape: [t("Trả lời sai mẫu", "Answers in the wrong shape"), "bad"],
  maybe: [t("Lúc được lúc không", "Now and then"), "wait"],
};
const words = {
  phone: t("Số điện thoại", "Phone number"), social_insurance_number: t("Mã số BHXH", "Social-insurance number"),
  national_id: t("Số định danh", "Personal number"), full_name: t("Họ và tên", "Full name"), birth_date: t("Ngày sinh", "Birth date"),
};
const kinds = {
  subscribers: {
    title: t("Thuê bao di động (nhà mạng)", "Mobile subscribers (carriers)"), key: "phone",
    fill: { phone: "0550", national_id: "000", birth_date: "1990-01-01" },
  },
  people: {
    title: t("Bảo hiểm xã hội", "Social insurance"), key: "social_insurance_number",
    fill: { social_insurance_number: "0000", national_id: "000", birth_date: "1990-01-01" },
  },
};
const plain = (phone) => phone.replace(/^\+84(\d{3})(\d{3})(\d{3})$/, "0$1 $2 $3");

function field(kind, name) {
  const id = `${kind}-${name}`;
  return el("div", {}, el("label", { for: id }, words[name]),
    el("input", { id, name, value: kinds[kind].fill[name] ?? "", autocomplete: "off", required: true }));
}

function form(kind) {
  const said = el("p", { role: "status" });
  const made = el("form", { novalidate: true },
    [kinds[kind].key, "national_id", "full_name", "birth_date"].map((name) => field(kind, name)),
    el("p", {}), el("button", {}, t("Thêm", "Add")), said);
  made.addEventListener("submit", async (event) => {
    event.preventDefault();
    for (const input of made.querySelectorAll("input")) input.removeAttribute("aria-invalid");
    const row = Object.fromEntries(new FormData(made));
    const sent = kind === "subscribers" ? { ...row, active: true } : row;
    const answer = await fetch(`/demo/registries/${kind}`, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(sent) });
    const body = await answer.json();
    said.className = answer.ok ? "alert good" : "alert";
    said.textContent = answer.ok ? t(`Đã ghi ${body.full_name}.`, `${body.full_name} is in.`) : t(body.vi ?? body.error, body.en ?? body.error);
    made.elements[body.field]?.setAttribute("aria-invalid", "true");
    made.elements[body.field]?.focus();
    if (answer.ok) look();
  });
  return made;
}

function row(kind, one) {
  const change = (text, changes) => el("button", {
    type: "button", class: "small quiet", "aria-label": `${text} ${plain(one.phone)}`,
    onclick: async () => { await post("/demo/registries/subscribers", { ...one, ...changes }); look(); },
  }, text);
  const fresh = one.sim_changed_at;
  const toggle = kind === "subscribers" && el("div", { class: "row" },
    change(fresh ? t("SIM cũ", "Old SIM") : t("Thay SIM", "New SIM"), { sim_changed_at: fresh ? null : new Date().toISOString() }),
    change(one.active ? t("Cắt", "Cut off") : t("Mở lại", "Restore"), { active: !one.active }));
  return el("li", { class: "row spread" },
    el("div", {}, el("strong", {}, one.full_name), one.active === false && [" ", el("span", { class: "chip bad" }, t("đã cắt", "cut off"))],
      fresh && [" ", el("span", { class: "chip wait" }, t("SIM thay ", "SIM replaced "), day(fresh))], el("br"),
      el("small", {}, el("code", {}, kind === "subscribers" ? plain(one.phone) : one.social_insurance_number), ` · ${one.national_id} · ${born(one.birth_date)}`)),
    toggle);
}

function list(kind, rows) {
  const all = [...rows].reverse();
  const cast = rows.slice(0, CAST);
  const added = all.filter((one) => !cast.includes(one));
  return [
    el("ul", { class: "plain ruled" }, cast.map((one) => row(kind, one))),
    added.length > 0 && el("details", { "data-open": kind },
      el("summary", {}, t(`Và ${added.length} người khác, mới thêm đứng đầu`, `And ${added.length} others, the newest first`)),
      el("ul", { class: "plain ruled" }, added.slice(0, 100).map((one) => row(kind, one)))),
  ];
}

function card(kind) {
  const choose = el("select", { id: `${kind}-mood`, onchange: async () => { await post("/demo/registries/switch", { registry: kind, mood: choose.value }); look(); } },
    Object.entries(moods).map(([value, [text]]) => el("option", { value }, text)));
  return el("section", { class: "card stack", "aria-label": kinds[kind].title },
    el("div", { class: "row spread top" }, el("h2", {}, kinds[kind].title), el("span", { id: `${kind}-chip`, class: "chip" })),
    el("div", {}, el("label", { for: `${kind}-mood` }, t("Cách trả lời", "How it answers")), choose),
    el("details", {}, el("summary", {}, t("Thêm một người", "Add a person")), form(kind)),
    el("div", { id: `${kind}-rows`, class: "stack" }));
}

function draw(said) {
  for (const kind of Object.keys(kinds)) {
    const [text, mood] = moods[said.moods[kind]];
    Object.assign(document.getElementById(`${kind}-chip`), { textContent: text, className: `chip ${mood}` });
    document.getElementById(`${kind}-mood`).value = said.moods[kind];
    const rows = document.getElementById(`${kind}-rows`);
    const open = rows.querySelector("details")?.open;
    rows.replaceChildren(...list(kind, said[kind]).filter(Boolean));
    if (open) rows.querySelector("details").open = true;
  }
}

place.replaceChildren(...Object.keys(kinds).map(card));
const look = watch("/demo/registries/rows.json", 3, draw);
