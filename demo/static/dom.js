// A few lines to build pages from values: text is always text, never markup.

export const lang = document.documentElement.lang;
export const t = (vi, en) => (lang === "en" ? en : vi);

/** An element with attributes and children; `on…` takes a function, false and null are left out. */
export function el(name, attributes = {}, ...children) {
  const node = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (key.startsWith("on")) node.addEventListener(key.slice(2), value);
    else if (value === true) node.setAttribute(key, "");
    else if (value !== false && value != null) node.setAttribute(key, value);
  }
  node.append(...children.flat().filter((child) => child != null && child !== false));
  return node;
}

export const time = (iso) =>
  new Intl.DateTimeFormat(lang === "en" ? "en-GB" : "vi-VN", {
    hour: "2-digit", minute: "2-digit", second: "2-digit", timeZone: "Asia/Ho_Chi_Minh",
  }).format(new Date(iso));

export const day = (iso) =>
  new Intl.DateTimeFormat(lang === "en" ? "en-GB" : "vi-VN", {
    day: "2-digit", month: "2-digit", year: "numeric", timeZone: "Asia/Ho_Chi_Minh",
  }).format(new Date(iso));

// A birth date as much as is known: 14/03/1950, 03/1950, 14/03 or 1950 alone; and what people type, as the API takes it.
export const born = (iso, told = true) => {
  const [year, month, day_] = iso.split("-");
  const shown = [day_, month, year].filter((part) => part && part !== "0000").join("/");
  return !told || (day_ && year !== "0000") ? shown : `${shown} (${month ? t("không đủ ngày tháng năm", "not the whole date") : t("chỉ biết năm", "year only")})`;
};
export const asIso = (typed) => {
  const [, day_, month, year] = /^(?:(\d{1,2})[/.-])?(?:(\d{1,2})[/.-])(\d{4})$/.exec(typed) ?? [];
  return year ? [year, month, day_].filter(Boolean).map((part) => part.padStart(2, "0")).join("-") : typed;
};

export async function post(url, value) {
  const answer = await fetch(url, {
    method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(value),
  });
  if (!answer.ok) throw new Error(`${answer.status}`);
  return answer.json();
}

/** Draws what `url` says, now and every `seconds` while the page is seen; only when it changed. */
export function watch(url, seconds, draw) {
  let last = "";
  async function look() {
    if (document.hidden) return;
    try {
      const text = await (await fetch(url)).text();
      if (text !== last) draw(JSON.parse((last = text)));
    } catch { /* the server restarts now and then; the next look will do */ }
  }
  setInterval(look, seconds * 1000);
  document.addEventListener("visibilitychange", look);
  look();
  return look;
}
