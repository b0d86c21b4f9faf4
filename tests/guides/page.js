// Runs the script of a page as a browser would, as far as a page of two forms needs one: node page.js PAGE URL STEPS
// PAGE is the file, URL where it was opened, STEPS a JSON list of [id of a form, its fields]. Prints where the browser is after each step
// and what the page says, as a JSON list.

const fs = require("fs");

const [page, address, steps] = process.argv.slice(2);
const script = fs.readFileSync(page, "utf8").match(/<script>([^]*)<\/script>/)[1];
const here = new URL(address);
const place = {href: here.href, origin: here.origin, search: here.search};
const elements = {}, cookies = {};
const element = (id) => (elements[id] ??= {id, hidden: id === "second", textContent: "", fields: {}});

async function fetchAsBrowser(path, {headers, ...rest}) {
  const cookie = Object.entries(cookies).map((pair) => pair.join("=")).join("; ");
  const site = {Origin: here.origin, "Sec-Fetch-Site": "same-origin", Cookie: cookie};
  const answer = await fetch(new URL(path, here), {...rest, headers: {...headers, ...site}});
  for (const line of answer.headers.getSetCookie?.() ?? [answer.headers.get("set-cookie")].filter(Boolean)) {
    const [name, value] = line.split(";")[0].split("=");
    cookies[name] = value;
  }
  return answer;
}

class FormData {
  constructor(form) { this.form = form; }
  [Symbol.iterator]() { return Object.entries(this.form.fields)[Symbol.iterator](); }
}

async function main() {
  const world = {document: {getElementById: element}, location: place, fetch: fetchAsBrowser, FormData};
  new Function(...Object.keys(world), script)(...Object.values(world));
  const seen = [];
  for (const [id, fields] of JSON.parse(steps)) {
    const form = element(id);
    if (form.hidden) throw new Error(`${id} is not shown`);
    form.fields = fields;
    await form.onsubmit({preventDefault() {}});
    seen.push({at: place.href, problem: element("problem").textContent, second: !element("second").hidden});
  }
  console.log(JSON.stringify(seen));
}

main().catch((error) => { console.error(error); process.exit(1); });
