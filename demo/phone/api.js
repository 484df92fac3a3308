// The phone's line to the server: the client of clients/typescript over what this page keeps and shows.
import { lang } from "../static/dom.js";
import { Client } from "./client/index.js";
import { drop, get, put } from "./store.js";

export const device = new URLSearchParams(location.search).get("device") === "2" ? 2 : 1;
export const publicUrl = document.getElementById("screen").dataset.publicUrl;
const calls = document.getElementById("calls");
const own = (name) => `${device}/${name}`; // two phones share one browser

export const client = new Client({
  url: publicUrl,
  language: lang,
  name: String(device),
  store: { get: (name) => get(own(name)), put: (name, value) => put(own(name), value), drop: (name) => drop(own(name)) },
  onAnswer: note,
});
export const call = (method, path, options) => client.call(method, path, options);
export const session = () => client.session();
export const forget = () => client.forget();

function note(method, path, status) {
  if (!status) return; // nothing was answered
  const line = document.createElement("li");
  line.textContent = `${method} ${path.split("?")[0]} → ${status}`;
  calls.prepend(line);
  if (calls.children.length > 12) calls.lastChild.remove();
}
