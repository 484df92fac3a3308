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

  const decide = (decision) => {
    const button = document.querySelector(`button[data-decision="${decision}"]`);
    if (!button) return false;
    const reason = button.form.elements.reason;
    if (decision !== "approved" && !reason.value.trim()) reason.focus();
    else button.click();
    return true;
  };

  document.addEventListener("keydown", (event) => {
    if (document.body.dataset.keys === "off" || event.isComposing || event.keyCode === 229 || event.repeat) return;
    if (event.ctrlKey || event.metaKey || event.altKey || typing(event.target)) return;
    const done = event.code in STEPS ? step(STEPS[event.code]) : event.code in DECISIONS && decide(DECISIONS[event.code]);
    if (done) event.preventDefault();
  });

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
    master.parentElement.hidden = !picks.length;
    master.checked = chosen > 0 && chosen === picks.length;
    master.indeterminate = chosen > 0 && chosen < picks.length;
  };
  document.addEventListener("change", (event) => {
    if (event.target.matches("[data-all]")) all("input[name=pick]").forEach((pick) => { pick.checked = event.target.checked; });
    count();
  });

  // A person's press wins over a look. A form's own request ends a look that began before it and lets later ones wait
  // (hx-sync): such an answer is older than the press. And a look's answer that comes while a button is held down is
  // dropped, or it would take the button away before it is let go; the page looks again after that.
  let missed = false;
  document.addEventListener("htmx:before:swap", (event) => {
    if (event.target.id !== "main" || !document.querySelector("#main :active")) return;
    event.preventDefault();
    missed = true;
  });
  const catchUp = () => {
    if (!missed || document.querySelector("#main :active")) return;
    missed = false;
    htmx.trigger(document.body, "look");
  };
  setInterval(catchUp, 500);

  // After a swap the pressed button is gone: put the focus where the news is, once.
  document.addEventListener("htmx:after:swap", () => {
    count();
    tick();
    if (document.activeElement && document.activeElement !== document.body) return;
    const news = document.querySelector("#main [data-focus]");
    if (news) news.focus({ preventScroll: false });
  });

  // The stream says that the session is over: the page must not stay readable.
  document.addEventListener("signed-out", () => location.assign("/workspace/login"));
  count();
  tick();
})();
