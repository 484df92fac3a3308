// A judge in a folder of its own: `node lighthouse.mjs CHROMIUM ADDRESS [COOKIE]` prints the three scores and what lowers them.
// The phone that it plays is Lighthouse's own preset: a slow telephone on a slow network, both simulated.
import { launch } from "chrome-launcher";
import lighthouse from "lighthouse";

const [chromium, address, cookie] = process.argv.slice(2);
const flags = ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"];
const chrome = await launch({ chromePath: chromium, chromeFlags: flags });
const options = {
  port: chrome.port, onlyCategories: ["performance", "accessibility", "best-practices"], logLevel: "error",
  disableStorageReset: true, maxWaitForLoad: 90000, extraHeaders: cookie ? { Cookie: cookie } : {},
};
try {
  const { lhr } = await lighthouse(address, options);
  const { performance, accessibility, "best-practices": best } = lhr.categories;
  const weighs = [performance, accessibility, best].flatMap((one) => one.auditRefs.filter((ref) => ref.weight > 0).map((ref) => ref.id));
  const found = weighs.filter((id) => lhr.audits[id].score !== null && lhr.audits[id].score < 0.9)
    .map((id) => `${id}: ${lhr.audits[id].displayValue ?? lhr.audits[id].title}`);
  const scores = [performance, accessibility, best].map((one) => Math.round(one.score * 100));
  const errors = lhr.runtimeError ? [lhr.runtimeError.message] : [];
  console.log(JSON.stringify({ scores, found: [...errors, ...found], address: lhr.finalDisplayedUrl }));
} finally {
  await chrome.kill();
}
