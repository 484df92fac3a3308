// The signing SIM and the USB token of this phone: stand-ins that sign as real ones do, after asking for a PIN.
import { el, t } from "../static/dom.js";
import { get, put } from "./store.js";
import { doing, field } from "./ui.js";

const words = {
  sim: { name: t("SIM ký số", "signing SIM"), ask: t("Nhập mã authentication PIN", "Enter the authentication PIN"), yes: "OK" },
  usb: { name: t("USB ký số", "USB token"), ask: t("Nhập mã PIN của USB ký số", "Enter the token's PIN"), yes: t("Đăng nhập", "Sign in") },
};
const HOLDERS = [
  ["CCCD", t("Công dân, số CCCD (12 số)", "Citizen, personal number (12 digits)")], ["CMND", t("Công dân, số CMND (9 số)", "Citizen, old number (9 digits)")],
  ["MST", t("Doanh nghiệp, mã số thuế", "Enterprise, tax code")], ["MDV", t("Cơ quan nhà nước, mã đơn vị", "Agency, agency code")],
];
const KIND_OF = { CCCD: "citizen", CMND: "citizen", MST: "enterprise", MDV: "agency" };
const cards = async (kind) => ((await get("cards")) ?? []).filter((one) => one.kind === kind);

/**
 * A form that picks a card and goes on with it: `act(card, sign)`, where `sign(challenge)` asks for the PIN.
 * A SIM or token that a visitor does not have yet is made on the spot.
 */
export function certificateForm(kind, send, act, more = []) {
  const place = el("div", {});
  const button = el("button", {}, send);
  const form = el("form", { novalidate: true }, place, more, button);
  const draw = async (chosen) => {
    const held = await cards(kind);
    button.hidden = !held.length;
    place.replaceChildren(...(held.length ? [choose(held, chosen)] : [el("p", {}, t(`Điện thoại này chưa có ${words[kind].name}.`, `This phone has no ${words[kind].name} yet.`))]));
  };
  form.addEventListener("submit", doing(button, async () => {
    const card = (await cards(kind)).find((one) => one.key_id === form.elements.card.value);
    await act(card, (challenge) => signed(card, challenge), form);
  }));
  draw();
  return el("div", {}, form, make(kind, draw));
}

function choose(held, chosen = held.at(-1).key_id) {
  return el("fieldset", { class: "choice" }, el("legend", {}, t("Chọn chứng thư", "Choose a certificate")), held.map((one) =>
    el("label", {}, el("input", { type: "radio", name: "card", value: one.key_id, checked: one.key_id === chosen }), " ",
      el("span", {}, el("strong", {}, one.name), el("br"), el("small", {}, one.identifier)))));
}

function make(kind, draw) {
  const button = el("button", { class: "quiet" }, t("Lấy chứng thư thử", "Get a demo certificate"));
  const form = el("form", { novalidate: true },
    field("holder", t("Chủ thể", "Holder"), { required: true, options: HOLDERS.map(([value, label]) => ({ value, label })), value: "CCCD" }),
    field("number", t("Số của chủ thể", "The holder's number"), { required: true, autocomplete: "off", placeholder: "000090123456" }),
    field("name", t("Tên trên chứng thư", "Name on the certificate"), { required: true, autocomplete: "off" }),
    el("p", { class: "soft" }, t("Bản thử: số định danh và mã số thuế bắt đầu bằng 000. Mã PIN là 6 chữ số tùy bạn.", "Demo: personal numbers and tax codes begin 000. The PIN is any 6 digits.")),
    button);
  form.addEventListener("submit", doing(button, async () => {
    const { holder, number, name } = Object.fromEntries(new FormData(form));
    const asked = { kind: KIND_OF[holder], identifier: `${holder}:${number.replaceAll(" ", "")}`, name: name.trim() };
    const made = { ...asked, kind, ...await demo("/demo/signing/certificates", asked) };
    await put("cards", [...((await get("cards")) ?? []), made]);
    form.closest("details").open = false;
    await draw(made.key_id);
  }));
  return el("details", {}, el("summary", {}, t(`Bản thử: lấy ${words[kind].name}`, `Demo: get a ${words[kind].name}`)), form);
}

/** Shows what is to be signed, asks for the PIN, and gives the signature; `null` PIN means that the person said no. */
async function signed(card, challenge) {
  const pin = await askPin(card, challenge);
  if (pin === null) throw { status: 400, code: "refused_by_person", title: t("Bạn đã từ chối ký.", "You did not sign.") };
  return (await demo("/demo/signing/signatures", { key_id: card.key_id, challenge, pin })).signature;
}

function askPin(card, challenge) {
  const { ask, yes } = words[card.kind];
  return new Promise((resolve) => {
    const input = el("input", { id: "pin", type: "password", inputmode: "numeric", autocomplete: "off", maxlength: "16", class: "otp" });
    const box = el("dialog", { class: "sheet", "aria-labelledby": "pin-title", onclose: () => { box.remove(); resolve(box.returnValue === "yes" ? input.value : null); } },
      el("form", { method: "dialog" }, el("h3", { id: "pin-title" }, ask),
        el("details", {}, el("summary", {}, t("Nội dung sẽ ký", "What will be signed")), el("pre", {}, challenge)),
        el("label", { for: "pin" }, t("Mã PIN", "PIN")), input,
        el("div", { class: "row" }, el("button", { value: "yes" }, yes), el("button", { class: "quiet", value: "no", formnovalidate: true }, t("Hủy", "Cancel")))));
    document.querySelector(".handset").append(box);
    box.showModal();
    input.focus();
  });
}

const troubles = {
  400: t("Mã PIN gồm 6 chữ số.", "The PIN has 6 digits."),
  404: t("Chứng thư thử này không còn, hãy lấy chứng thư mới.", "This demo certificate is gone, please get another."),
  422: t("Số hoặc tên chưa đúng: bản thử chỉ nhận số bắt đầu bằng 000.", "Check number and name: the demo takes numbers that begin 000."),
};

/** A stand-in's answer; what it refuses is shown like any other problem. */
async function demo(path, body) {
  const answer = await fetch(path, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) });
  if (answer.ok) return answer.json();
  throw { status: answer.status, code: "stand_in", title: troubles[answer.status] ?? t("SIM hoặc USB ký số thử không ký được.", "The stand-in did not sign.") };
}
