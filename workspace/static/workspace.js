// What HTML alone cannot do: keys for the queue, a running countdown, focus after a change.
// Nothing here is needed for deciding; every action is a plain form.
(() => {
  "use strict";
  const all = (selector, root = document) => [...root.querySelectorAll(selector)];
  const typing = (node) => node instanceof Element && node.closest("input:not([type=checkbox]),textarea,select,[contenteditable]");

  // One key, one button; by the key's place, because Telex and VNI rewrite the letters. Never while composing.
  const DECISIONS = { Digit1: "approved", Digit2: "rejected", Digit3: "returned" };
  const STEPS = { KeyJ: 1, ArrowDown: 1, KeyK: -1, ArrowUp: -1 };

  const step = (by) => {
    const rows = all("[data-row]");
    if (!rows.length) return false;
    const now = rows.indexOf(document.activeElement);
    rows[Math.max(0, Math.min(rows.length - 1, now < 0 ? 0 : now + by))].focus();
    return true;
  };

  const press = (selector) => {
    const button = document.querySelector(selector);
    if (button) button.click();
    return Boolean(button);
  };
  const decide = (decision) => press(`button[data-decision="${decision}"]`);
  const pick = () => {
    const box = document.activeElement.closest("li")?.querySelector("input[name=pick]");
    if (box) box.click();
    return Boolean(box);
  };
  const search = () => {
    const box = document.getElementById("q");
    if (box) box.focus();
    return Boolean(box);
  };
  const help = () => {
    const list = document.querySelector(".keys");
    if (list) list.focus();
    return Boolean(list);
  };
  const MORE = { KeyX: pick, KeyZ: () => press("button[data-undo]"), KeyH: () => press("a[data-later]"), Slash: search };

  // A word that wants a reason shows where to write it, and says that there is none; then it acts. Without scripts the
  // box stands there, and the server says the same.
  let wish = "";
  const opened = (form) => form.querySelector("[data-reasons]");
  const open = (form) => {
    wish = form.getAttribute("action");
    opened(form).classList.add("open");
  };
  const complaint = () => document.getElementById("reason-error");
  const complain = () => {
    complaint().textContent = complaint().dataset.text;
    document.getElementById("reason").setAttribute("aria-invalid", "true");
  };
  const content = () => {
    if (!complaint()?.textContent) return;
    complaint().textContent = "";
    document.getElementById("reason").removeAttribute("aria-invalid");
  };
  document.addEventListener("click", (event) => {
    const button = event.target.closest("button[data-wants]");
    const box = button && opened(button.form);
    if (!box) return;
    const { reason } = button.form.elements;
    const isSaid = Boolean(reason.value.trim() || box.querySelector("input[name=usual]:checked"));
    if (isSaid && box.classList.contains("open")) return;
    event.preventDefault();
    event.stopPropagation();
    open(button.form);
    if (!isSaid) complain();
    reason.focus();
  }, true);
  document.addEventListener("change", (event) => {
    if (!event.target.matches("input[name=usual]")) return;
    event.target.form.elements.reason.value = event.target.value;
    content();
    event.target.form.elements.reason.focus();
  });
  const plain = (text) => text.normalize("NFD").replace(/\p{M}/gu, "").replace(/[đĐ]/g, "d").toLowerCase().trim();
  const narrow = (finder) => {
    const list = document.getElementById(finder.dataset.narrows);
    const asked = plain(finder.value);
    for (const option of list.options) option.hidden = Boolean(option.value) && !plain(`${option.text} ${option.value}`).includes(asked);
    const found = [...list.options].filter((option) => option.value && !option.hidden);
    if (asked) list.value = found.length ? found[0].value : "";
  };
  document.addEventListener("input", (event) => {
    if (event.target.dataset.narrows) narrow(event.target);
    if (event.target.id === "reason" && event.target.value.trim()) content();
    if (event.target.id === "reason") for (const chip of all("input[name=usual]", event.target.form)) chip.checked = chip.value === event.target.value;
  });

  const key = (event) => {
    if (document.body.dataset.keys === "off" || event.isComposing || event.keyCode === 229 || event.repeat) return;
    if (event.ctrlKey || event.metaKey || event.altKey || (event.shiftKey && event.code !== "Slash") || typing(event.target)) return;
    const act = event.code in STEPS ? () => step(STEPS[event.code]) : event.code in DECISIONS ? () => decide(DECISIONS[event.code]) : event.code === "Slash" && event.shiftKey ? help : MORE[event.code];
    const done = act && act();
    if (done) event.preventDefault();
  };

  // The server decides whether a decision can still be taken back; this only shows the seconds and asks again at the end.
  const tick = () => {
    for (const clock of all("[data-until]")) {
      const left = Math.ceil((Date.parse(clock.dataset.until) - Date.now()) / 1000);
      if (left > 0) clock.textContent = clock.dataset.text.replace("{n}", left);
      else if (!clock.dataset.over) {
        clock.dataset.over = "1";
        htmx.trigger(document.body, "look");
      }
    }
  };
  setInterval(tick, 500);

  // A page taken from the browser's memory after signing out shows nothing: ask the server again.
  addEventListener("pageshow", (event) => { if (event.persisted) location.reload(); });

  const count = () => {
    const picks = all("input[name=pick]");
    const master = document.querySelector("[data-all]");
    if (!master) return;
    const chosen = picks.filter((pick) => pick.checked).length;
    for (const said of all("[data-picked]")) said.textContent = chosen ? ` (${chosen})` : "";
    master.parentElement.hidden = !picks.length;
    master.checked = chosen > 0 && chosen === picks.length;
    master.indeterminate = chosen > 0 && chosen < picks.length;
  };
  document.addEventListener("change", (event) => {
    if (event.target.type === "file") event.target.classList.toggle("chosen", event.target.files.length > 0);
    if (event.target.matches("[data-all]")) all("input[name=pick]").forEach((pick) => { pick.checked = event.target.checked; });
    count();
  });

  // A person's press wins over a look. A form's own request ends a look that began before it and lets later ones wait
  // (hx-sync): such an answer is older than the press. And a look's answer that comes while a button is held down is
  // dropped, or it would take the button away before it is let go; the page looks again after that.
  let missed = false;
  let typed = "";
  let written = "";
  let sent = false;
  let acted = false;
  document.addEventListener("submit", () => { sent = true; }, true);
  document.addEventListener("htmx:before:swap", (event) => {
    if (event.target.id !== "main") return;
    const box = document.querySelector("#reason, [data-typed]:not([hidden]) textarea");
    typed = box?.value.trim() || (sent ? "" : typed);
    written = box?.id === "reason" ? box.value : "";
    acted = sent;
    sent = false;
    if (!document.querySelector("#main :active")) return;
    event.preventDefault();
    missed = true;
  });
  // Somebody else has decided meanwhile: what was being written stays to be read (W06). What came back with a no, and
  // so was not typed on this page, stays in its box.
  const keep = () => {
    const reason = document.getElementById("reason");
    if (reason && !reason.value) reason.value = written;
    written = "";
    const box = document.querySelector("[data-typed]");
    if (!box || !typed) return;
    box.hidden = false;
    box.querySelector("textarea").value = typed;
  };
  const catchUp = () => {
    if (!missed || document.querySelector("#main :active")) return;
    missed = false;
    htmx.trigger(document.body, "look");
  };
  setInterval(catchUp, 500);

  // After a swap the pressed button is gone: put the focus where the news is, once.
  document.addEventListener("htmx:after:swap", () => {
    const form = wish && document.querySelector(`form[action="${wish}"]`);
    if (form && opened(form)) opened(form).classList.add("open");
    if (complaint()?.textContent) complain();
    keep();
    count();
    tick();
    if (document.activeElement && document.activeElement !== document.body) return;
    const news = document.querySelector("#main [data-focus]") || (acted && document.querySelector("#main h1[tabindex]"));
    if (news) news.focus({ preventScroll: false });
  });

  // One stream of a browser window: closed while hidden, from the start too, for six open ones would stop everything
  // on plain HTTP (W02). A stream that is refused leads to the sign-in page (F01), and what was being written is kept.
  const url = document.body.dataset.stream;
  const STORE = "typed";
  const leave = () => {
    const text = document.getElementById("reason")?.value.trim();
    if (text) sessionStorage.setItem(STORE, JSON.stringify({ me: document.body.dataset.me, path: location.pathname, text }));
    location.assign(`/workspace/login?${text ? "why=ended&" : ""}next=${encodeURIComponent(location.pathname)}`);
  };
  let stream = null;
  let wanted = url;
  const look = () => { if (!document.hidden) htmx.trigger(document.body, "look"); };
  const channel = window.BroadcastChannel ? new BroadcastChannel("workspace") : null;
  const tell = (word) => { if (channel) channel.postMessage(word); };
  const refused = async () => {
    stream = null;
    const answer = await fetch(location.href, { redirect: "manual", headers: { "HX-Request": "true" } }).catch(() => null);
    if (answer && answer.status === 401) { tell("over"); leave(); }
    else setTimeout(listen, 15000);
  };
  const listen = () => {
    if (stream) stream.close();
    stream = new EventSource(wanted);
    stream.addEventListener("look", () => { tell("look"); look(); });
    stream.addEventListener("signed-out", () => { tell("over"); leave(); });
    stream.addEventListener("error", () => { if (stream && stream.readyState === EventSource.CLOSED) refused(); });
  };
  // Of all windows that are seen one holds the lock, and with it the stream; it tells the others.
  let release = null;
  let turn = null;
  const line = () => {
    if (!url || document.hidden || release || turn) return;
    if (!navigator.locks) { listen(); return; }
    const waited = { is: false };
    turn = new AbortController();
    setTimeout(() => { waited.is = true; }, 1000);
    navigator.locks.request("workspace", { signal: turn.signal }, () => new Promise((done) => {
      turn = null;
      release = done;
      listen();
      if (waited.is) look();
    })).catch(() => {});
    if (url.includes("?")) tell("states");
  };
  const hush = () => {
    if (turn) turn.abort();
    if (stream) stream.close();
    if (release) release();
    turn = stream = release = null;
  };
  if (channel) channel.onmessage = ({ data }) => {
    if (data === "look") look();
    else if (data === "over" && url) leave();
    else if (data === "states" && stream && !wanted.includes("?")) { wanted += "?states"; listen(); }
  };
  document.addEventListener("visibilitychange", () => {
    if (document.hidden) hush();
    else { line(); look(); }
  });
  addEventListener("pagehide", hush);
  line();

  // Back from signing in: what was being written is here again, for the same person on the same page (W05).
  const restore = () => {
    const kept = JSON.parse(sessionStorage.getItem(STORE) || "null");
    const { me } = document.body.dataset;
    if (!kept || !me) return;
    sessionStorage.removeItem(STORE);
    const box = document.getElementById("reason");
    if (kept.me !== me || kept.path !== location.pathname || !box) return;
    box.value = kept.text;
    open(box.form);
    document.getElementById("restored").hidden = false;
  };
  document.querySelector('form[action="/workspace/sign-out"]')?.addEventListener("submit", () => sessionStorage.clear());
  restore();
  document.querySelector(".side .here a")?.scrollIntoView({ block: "nearest" });
  for (const here of all(".top nav [aria-current], .tabs [aria-current]")) here.scrollIntoView({ block: "nearest", inline: "center" });
  // A form that was sent before htmx was there is answered by a whole page: the focus belongs to its news, too.
  const first = location.search.includes("after=") ? "h1" : ":is(.undo [data-focus], [role=alert][data-focus])";
  document.querySelector(`#main ${first}`)?.focus();
  count();
  tick();
  // Keys that were faster than this script and htmx, which begins by a timer of its own, wait on the page (base.html).
  setTimeout(() => {
    window.onkeydown = null;
    document.addEventListener("keydown", key);
    for (const event of window.early || []) key(event);
  });
})();
