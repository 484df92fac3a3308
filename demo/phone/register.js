// Making an account: who, by which method, the form, the code, the password (source 001, part I).
import { asIso, day, el, t } from "../static/dom.js";
import { client } from "./api.js";
import { captcha } from "./captcha.js";
import { certificateForm } from "./card.js";
import { about, arrive, askCode, askPassword } from "./flow.js";
import { begin } from "./signin.js";
import { back, choice, doing, field, go, link, menu, show } from "./ui.js";

const KINDS = [["citizen", t("Công dân", "Citizen")], ["enterprise", t("Doanh nghiệp", "Enterprise")], ["agency", t("Cơ quan nhà nước", "State agency")]];

/** Step 2: the kind of account and the method; a subscriber and social insurance are for citizens only. */
export function register(kind = "citizen") {
  const citizen = kind === "citizen";
  const kinds = choice("kind", t("Đối tượng", "Who registers"), KINDS, kind);
  kinds.addEventListener("change", (event) => go(`#/register/${event.target.value}`));
  show(t("Đăng ký", "Register"), back("#/"), el("p", {}, t("Vui lòng chọn phương thức đăng ký.", "Please choose how to register.")), kinds,
    citizen && el("h3", {}, t("Xác minh mức độ trung bình (IAL2)", "Medium assurance (IAL2)")),
    citizen && menu([
      [t("Thuê bao di động", "Mobile subscriber"), "#/register/citizen/subscriber", t("Số điện thoại chính chủ", "A number in your own name")],
      [t("Bảo hiểm xã hội", "Social insurance"), "#/register/citizen/social_insurance", t("Mã số BHXH", "Social-insurance number")],
      [t("Bưu điện Việt Nam", "Vietnam Post"), "#/register/citizen/post_office", t("* Không dành cho CBCCVC cơ quan nhà nước", "* Not for civil servants")]]),
    el("h3", {}, t("Xác minh mức độ cao (IAL3)", "High assurance (IAL3)")),
    menu([[t("USB ký số", "USB token"), `#/register/${kind}/usb`], [t("SIM ký số", "Signing SIM"), `#/register/${kind}/sim`]]),
    !citizen && el("p", { class: "soft" }, t("Thuê bao di động và bảo hiểm xã hội chỉ dành cho công dân.", "Mobile subscriber and social insurance are for citizens only.")));
}

/** Step 3: the chosen method's own form. */
export function registerBy(kind, method) {
  if (method === "post_office") return postOffice();
  if (method === "usb" || method === "sim") return byCertificate(kind, method);
  return byRegistry(method);
}

function byRegistry(method) {
  const insured = method === "social_insurance";
  const check = captcha();
  const button = el("button", {}, t("Đăng ký", "Register"));
  const form = el("form", { novalidate: true, onfocusin: check.start },
    field("national_id", t("Tên đăng nhập (số CMND/CCCD)", "Personal number"), { required: true, inputmode: "numeric", autocomplete: "username" }),
    insured && field("social_insurance_number", t("Mã bảo hiểm xã hội", "Social-insurance number"), { required: true, inputmode: "numeric", autocomplete: "off" }),
    field("full_name", t("Họ tên", "Full name"), { required: true, autocomplete: "name" }),
    field("birth_date", t("Ngày sinh (hoặc chỉ năm)", "Birth date (or the year alone)"), { required: true, autocomplete: "bday" }),
    field("phone", t("Số điện thoại", "Phone number"), { required: true, type: "tel", inputmode: "tel", autocomplete: "tel" }),
    field("email", "Email", { type: "email", autocomplete: "email" }),
    check.box, button);
  form.addEventListener("submit", doing(button, async () => {
    const typed = Object.fromEntries([...new FormData(form)].map(([name, value]) => [name, value.trim()]).filter(([, value]) => value).map(([name, value]) => [name, name === "birth_date" ? asIso(value) : value]));
    const body = { method, kind: "citizen", ...typed, captcha: await check.take(), device: about() };
    const at = await client.begin("/v1/registrations", body);
    askCode(at, { send: t("Xác nhận", "Confirm"), leave: `#/register/citizen/${method}`, next: () => password(at) });
  }));
  show(insured ? t("Đăng ký bằng bảo hiểm xã hội", "Register by social insurance") : t("Đăng ký bằng thuê bao di động", "Register by mobile subscriber"),
    back("#/register"),
    el("p", { class: "soft" }, insured
      ? t("Thông tin phải khớp với cơ sở dữ liệu bảo hiểm xã hội; tài khoản sẽ ở mức xác minh 2.", "The data have to agree with the social-insurance registry; the account will be of level 2.")
      : t("Thuê bao phải được đăng ký chính chủ; tài khoản sẽ ở mức xác minh 2.", "The number has to be registered in your own name; the account will be of level 2.")),
    atHand(form, insured), form, alreadyThere());
}

const password = (at) => askPassword(at, { title: t("Đặt mật khẩu", "Choose a password"), send: t("Đăng ký", "Register"), next: (done) => arrive(done, t("Đã đăng ký tài khoản.", "The account is registered.")) });

/** Duplicates are told to the number on file, never here: this is what a person can do who has an account. */
function alreadyThere() {
  return el("p", { class: "soft" }, t("Đã có tài khoản mà không nhận được mã? ", "An account already, and no code? "), link(t("Quên mật khẩu", "Password forgotten"), "#/forgot"),
    t(", ra quầy giao dịch, hoặc ", ", a counter, or "), link(t("kiểm tra, khiếu nại", "ask for help"), "#/check"), ".");
}

/** In the demo, somebody whom the registries know can be put in at a touch. */
function atHand(form, insured) {
  const select = el("select", { id: "at-hand" }, el("option", { value: "" }, t("— Chọn —", "— Choose —")));
  const box = el("details", {}, el("summary", {}, t("Bản thử: điền người có sẵn", "Demo: fill in somebody at hand")),
    el("label", { for: "at-hand" }, t("Người trong cơ sở dữ liệu", "Somebody in the registry")), select,
    el("p", {}, el("a", { href: "/demo/registries", target: "_blank", rel: "noopener" }, t("Tự thêm một người", "Add a person"))));
  box.addEventListener("toggle", async () => {
    if (select.options.length > 1) return;
    const { subscribers, people } = await (await fetch("/demo/registries/rows.json")).json();
    const cast = subscribers.slice(0, 11);
    const rows = [...cast, ...subscribers.slice(11).reverse().slice(0, 15)];
    select.append(...rows.map((one) => el("option", { value: one.national_id }, one.full_name)));
    select.onchange = () => {
      const one = rows.find((row) => row.national_id === select.value);
      const known = people.find((row) => row.national_id === select.value);
      const values = { ...one, phone: one?.phone.replace(/^\+84/, "0"), social_insurance_number: known?.social_insurance_number };
      for (const name of ["national_id", "full_name", "birth_date", "phone", insured && "social_insurance_number"].filter(Boolean)) form.elements[name].value = values[name] ?? "";
    };
  });
  return box;
}

function postOffice() {
  const button = el("button", { type: "button", class: "wide" }, t("Đến trang của Bưu điện", "Go to the post office"));
  button.addEventListener("click", doing(button, () => begin("post_office")));
  show(t("Tài khoản Bưu điện Việt Nam", "Vietnam Post account"), back("#/register"),
    el("p", {}, t("Bưu điện xác minh bạn tại quầy và cấp tài khoản; lần đăng nhập đầu tiên sẽ tạo tài khoản ở đây, mức xác minh 2.", "The post office checks you at its counter and gives you an account; the first sign-in makes one here, of level 2.")),
    el("p", { class: "alert wait" }, t("Tài khoản cung cấp từ “Bưu điện Việt Nam” không dành cho cán bộ, công chức, viên chức cơ quan nhà nước.", "Accounts from Vietnam Post are not for civil servants.")),
    el("div", { class: "actions" }, button));
}

function byCertificate(kind, method) {
  const form = certificateForm(method, t("Đăng ký", "Register"), async (card, sign) => {
    const body = { method: "certificate", kind, certificate: card.certificate, device: about() };
    const at = await client.begin("/v1/registrations", body);
    confirm(at, await at.send({ certificate: card.certificate, signature: await sign(at.answer.challenge) }), kind);
  });
  show(method === "sim" ? t("Đăng ký bằng SIM ký số", "Register by signing SIM") : t("Đăng ký bằng USB ký số", "Register by USB token"), back(`#/register/${kind}`),
    el("p", { class: "soft" }, method === "sim"
      ? t("SIM ký số đang hoạt động và được gắn vào điện thoại. Tài khoản sẽ ở mức xác minh 3, cao nhất.", "The SIM is active and in the phone. The account will be of level 3, the highest.")
      : t("USB được cắm vào máy, chứng thư còn hạn. Tài khoản sẽ ở mức xác minh 3, cao nhất.", "The token is plugged in and its certificate valid. The account will be of level 3, the highest.")),
    form);
}

const holders = {
  citizen: [t("Họ tên", "Full name"), t("Số CMND/CCCD", "Personal number")], enterprise: [t("Tên doanh nghiệp", "Enterprise"), t("Mã số thuế", "Tax code")],
  agency: [t("Tên tổ chức", "Organisation"), t("Mã đơn vị", "Agency code")],
};

/** What the certificate says of its holder, to be looked at before the account is made. */
function confirm(at, { subject, identifier }, kind) {
  const needed = kind === "enterprise";
  const button = el("button", {}, t("Đăng ký", "Register"));
  const form = el("form", { novalidate: true },
    field("email", "Email", { type: "email", autocomplete: "email", required: needed }),
    el("p", { class: "soft" }, t("Bằng cách nhấn Đăng ký, bạn đồng ý với Điều khoản và Chính sách chia sẻ thông tin của chúng tôi.", "By registering you agree to our terms and our policy on sharing data.")), button);
  form.addEventListener("submit", doing(button, async () => {
    const email = form.elements.email.value.trim();
    arrive(await at.send(email ? { email } : {}), t("Đã đăng ký tài khoản mức xác minh 3.", "An account of level 3 is registered."));
  }));
  const facts = [
    [holders[kind][0], subject.organization_name ?? subject.full_name], [holders[kind][1], subject.identifier ?? identifier?.value ?? identifier],
    [t("Ngày hiệu lực", "Valid from"), day(subject.valid_from)], [t("Ngày hết hạn", "Valid until"), day(subject.valid_until)],
    [t("Tên CA", "Issued by"), subject.issuer],
  ];
  show(t("Kiểm tra thông tin", "Check the data"), back(`#/register/${kind}`),
    el("dl", { class: "facts" }, facts.filter(([, value]) => value).flatMap(([name, value]) => [el("dt", {}, name), el("dd", {}, value)])), form);
}
