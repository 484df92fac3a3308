// What was pressed and not taken: without a network it waits, and a strange answer takes nothing away.
(() => {
  "use strict";
  // Without a network nothing is sent and nothing is lost: it is said at once, and sent when the network is back (W07).
  const offline = document.getElementById("offline");
  let waiting = null;
  const hold = (form, button) => {
    waiting = { form, button };
    offline.hidden = false;
  };
  const again = () => {
    if (!waiting || !navigator.onLine) return;
    const { form, button } = waiting;
    waiting = null;
    offline.hidden = true;
    const there = form.isConnected ? form : document.querySelector(`form[action="${form.getAttribute("action")}"]`);
    if (there) there.requestSubmit(button && button.isConnected ? button : undefined);
  };
  let last = null;
  document.addEventListener("submit", (event) => {
    last = { form: event.target, button: event.submitter };
    if (navigator.onLine) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    hold(event.target, event.submitter);
  }, true);
  document.addEventListener("htmx:error", (event) => {
    const from = event.detail?.ctx?.sourceElement;
    if (last && from === last.form) hold(last.form, last.button);
  });
  addEventListener("offline", () => { offline.hidden = false; });
  addEventListener("online", () => { offline.hidden = true; again(); });
  setInterval(again, 2000);

  // An answer that is no page of ours (too much was sent, the service is stopping) takes nothing away; it is said below.
  const unread = document.getElementById("unread");
  const say = (text) => {
    const { title, detail } = text.startsWith("{") ? JSON.parse(text) : {};
    unread.firstElementChild.textContent = [title, detail].filter(Boolean).join(". ") || unread.dataset.text;
    unread.hidden = false;
  };
  document.addEventListener("submit", () => { unread.hidden = true; }, true);
  document.addEventListener("htmx:before:swap", (event) => {
    const { text, target, sourceElement } = event.detail.ctx;
    if (target.id !== "main" || text.includes('id="main"')) return;
    event.preventDefault();
    if (sourceElement !== target) say(text);
  });
})();
