// The form of a role request, drawn from what the server says about each subject type.
import { born, el, t } from "../static/dom.js";
import { call } from "./api.js";
import { brand } from "./brand.js";
import { back, complain, doing, field, link, show } from "./ui.js";
import { kinds, movements, positionNames } from "./roles.js";

/** A new request of `kind`, about a role for all but `register`. */
export async function requestForm(kind, roleId) {
  if (kind === "register" && await isOfThePostOffice()) return notForStaff();
  const key = crypto.randomUUID();
  const send = (body) => call("POST", "/v1/role-requests", { body, key });
  await draw({ kind, roleId, given: roleId ? await asHeld(kind, roleId) : {}, send });
}

/** Whoever came in by the post office alone would be refused at the end of the form (rule 603). */
async function isOfThePostOffice() {
  const { attributes } = await call("GET", "/v1/me/identity");
  return attributes.some((one) => one.name === "full_name" && one.source === "post_office");
}

function notForStaff() {
  show(kinds.register, back("#/roles"), el("p", { class: "alert", role: "alert", "data-code": "post_office_not_for_staff" },
    t("Tài khoản từ Bưu điện không dành cho cán bộ, công chức, viên chức. Hãy đăng nhập bằng VNeID.",
      "A Vietnam Post account is not for officials, civil servants or public employees. Please sign in with VNeID.")));
}

/** A returned request, corrected. */
export async function againForm(id) {
  const found = await call("GET", `/v1/role-requests/${id}`);
  const send = (body) => call("PUT", `/v1/role-requests/${id}`, { body });
  await draw({ kind: found.kind, roleId: found.role_id ?? undefined, given: found, send });
}

/** The role as it stands, with the fields that were last approved; a new unit is still to be chosen. */
async function asHeld(kind, roleId) {
  const [roles, requests] = await Promise.all([call("GET", "/v1/roles"), call("GET", "/v1/role-requests")]);
  const { unit_code: code, unit_name: name, subject_type, position } = roles.items.find((one) => one.id === roleId);
  const beside = roles.items.filter((one) => one.ends_with === roleId && ["end", "transfer"].includes(kind));
  const last = requests.items.find((one) => one.status === "approved" && one.kind !== "end");
  const unit = ["transfer", "concurrent"].includes(kind) ? {} : { unit_code: code, unit_name: name };
  return { ...unit, subject_type, position, beside, fields: last?.fields ?? {} };
}

/** What was typed before a call was refused: whoever comes back from VNeID finds it again. */
const kept = {
  at: () => `form ${location.hash}`,
  read: () => JSON.parse(sessionStorage.getItem(kept.at()) ?? "null"),
  write: (typed) => sessionStorage.setItem(kept.at(), JSON.stringify(typed)),
  drop: (at) => sessionStorage.removeItem(at),
};

async function draw({ kind, roleId, given: known, send }) {
  const given = { ...known, ...kept.read() };
  const types = kind === "end" ? [] : (await call("GET", "/v1/subject-types")).items;
  const positions = given.beside?.length ? await positionNames() : {};
  const again = given.status !== undefined;
  const button = el("button", {}, again ? t("Gửi lại", "Send again") : kind === "register" ? t("Đăng ký", "Register") : t("Gửi yêu cầu", "Send the request"));
  const about = el("div", {});
  const form = el("form", { novalidate: true },
    types.length > 0 && field("subject_type", t("Đối tượng", "Subject type"), {
      required: true, value: given.subject_type,
      options: types.map((one) => ({ value: one.code, label: one.label })),
    }),
    about,
    kind === "transfer" && field("movement", t("Hình thức", "Movement"), {
      required: true, value: given.movement ?? "transfer", options: Object.entries(movements).map(([value, label]) => ({ value, label })),
    }),
    field("effective_on", t("Ngày hiệu lực", "Effective on"), { type: "date", value: given.effective_on }),
    ["transfer", "concurrent"].includes(kind) && field("until", t("Ngày kết thúc", "Until"), { type: "date", value: given.until }),
    given.beside?.length > 0 && besideField(given, kind, positions),
    kind === "end" && field("reason", t("Lý do", "Reason"), { value: given.fields?.reason }),
    button);
  const choose = async () => {
    const type = types.find((one) => one.code === form.elements.subject_type.value);
    about.replaceChildren(...(type ? await partsOf(type, given, kind) : []));
  };
  form.elements.subject_type?.addEventListener("change", () => choose().catch(complain));
  form.addEventListener("submit", doing(button, async () => {
    const body = bodyOf(form, kind, roleId, types), at = kept.at();
    kept.write({ ...body, typed: form.elements.unit?.value });
    const made = await send(body);
    kept.drop(at);
    location.hash = `#/requests/${made.id}`;
  }));
  const why = (given.steps ?? []).filter((one) => one.decision === "returned").map((one) =>
    el("p", { class: "alert bad" }, t("Lý do trả lại: ", "Returned because: "), one.reason));
  show(kinds[kind], back("#/roles"), ...why, form);
  if (form.elements.subject_type?.value) await choose();
}

async function partsOf(type, given, kind) {
  const [known, positions] = await Promise.all([
    kind === "register" && !given.fields ? prefill(type) : null,
    call("GET", `/v1/positions?subject_type=${type.code}`),
  ]);
  const from = known ?? given;
  return [
    known && el("p", { class: "alert good", role: "status" },
      t("Lấy từ danh bạ cán bộ: ", "From the staff directory: "), el("strong", {}, known.full_name), `, ${born(known.birth_date)}. `,
      t("Hãy kiểm tra lại.", "Please check.")),
    known?.mismatches.length > 0 && mismatch(known),
    unitField(from),
    field("position", t("Chức vụ", "Position"), {
      required: true, value: from.position,
      options: positions.items.map((one) => ({ value: one.code, label: one.label })),
    }),
    ...type.fields.map((one) => field(one.name, one.label, {
      required: one.required, value: from.fields?.[one.name] ?? "", maxlength: one.max_length,
      ...(one.options?.length ? { options: one.options } : { type: one.type }),
    })),
  ].filter(Boolean);
}

/** What the directory knows; somebody it does not know fills the form in by hand. */
async function prefill(type) {
  try {
    return await call("GET", `/v1/role-prefill?subject_type=${type.code}`);
  } catch (problem) {
    if (problem.status === 404) return null;
    throw problem;
  }
}

const attributes = { full_name: t("họ và tên", "full name"), birth_date: t("ngày sinh", "birth date") };

function mismatch(known) {
  return el("div", { class: "alert wait", role: "status" },
    t("Không khớp với tài khoản định danh: ", "Differs from your identity: "),
    el("strong", {}, known.mismatches.map((one) => attributes[one] ?? one).join(", ")), ". ",
    t(`Nếu danh bạ sai, xin gọi ${brand.name} ${brand.hotline} hoặc VNeID ${known.hotlines.vneid}.`,
      `If the directory is wrong, call ${brand.name} ${brand.hotline} or VNeID ${known.hotlines.vneid}.`));
}

/** A unit is found by typing part of its name; what is sent is its code. */
function unitField(given) {
  const list = el("datalist", { id: "units" });
  const box = field("unit", t("Đơn vị", "Unit"), {
    required: true, list: "units", autocomplete: "off", value: given.typed ?? (given.unit_code ? labelOf(given.unit_name, given.unit_code) : ""),
    placeholder: t("Gõ một phần tên đơn vị", "Type part of its name"),
  });
  const input = box.querySelector("input");
  let waiting = null;
  input.addEventListener("input", () => {
    clearTimeout(waiting);
    waiting = setTimeout(async () => {
      const { items } = await call("GET", `/v1/units?q=${encodeURIComponent(input.value)}`);
      list.replaceChildren(...items.slice(0, 30).map((one) => el("option", { value: labelOf(one.name, one.code) })));
    }, 250);
  });
  box.append(list, el("p", { class: "soft" }, link(t("Không thấy đơn vị của tôi", "My unit is missing"), "#/support/new/unit")));
  return box;
}

/** What ends with the home role, and what of it is to be kept. */
function besideField(given, kind, positions) {
  const kept = new Set(given.keeps ?? given.beside.filter((one) => one.kept).map((one) => one.id));
  return el("fieldset", { id: "beside" }, el("legend", {}, t("Chức vụ kiêm nhiệm", "Concurrent posts")),
    el("p", { class: "soft" }, t("Kết thúc cùng vai trò chính, trừ chức vụ bạn chọn giữ lại.", "They end with the home role, but for those that you keep."),
      kind === "transfer" && t(" Biệt phái, bổ nhiệm và miễn nhiệm không làm kiêm nhiệm kết thúc.", " A secondment, an appointment and a dismissal end none.")),
    given.beside.map((one) => el("label", { class: "row" },
      el("input", { type: "checkbox", name: "keeps", value: one.id, checked: kept.has(one.id) }),
      t("Giữ lại: ", "Keep: "), [positions[one.position] ?? one.position, one.unit_name].join(" · "))));
}

const labelOf = (name, code) => `${name} (${code})`;
const codeOf = (typed) => /\(([^()]+)\)\s*$/.exec(typed)?.[1] ?? typed.trim();

const keptOf = (form) => {
  const ticked = [...form.querySelectorAll("[name=keeps]:checked")].map((one) => one.value);
  return ticked.length ? ticked : undefined;
};

function bodyOf(form, kind, roleId, types) {
  const value = (name) => form.elements[name]?.value.trim() || undefined;
  const body = { kind, role_id: roleId, effective_on: value("effective_on"), until: value("until"), movement: value("movement"), keeps: keptOf(form) };
  if (kind === "end") return { ...body, fields: value("reason") ? { reason: value("reason") } : {} };
  const type = types.find((one) => one.code === value("subject_type"));
  const fields = Object.fromEntries((type?.fields ?? []).map((one) => [one.name, value(one.name)]).filter(([, given]) => given));
  return { ...body, subject_type: value("subject_type"), unit: codeOf(value("unit") ?? ""), position: value("position"), fields };
}
