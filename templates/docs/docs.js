// Shows the OpenAPI documents of this server and tries their calls. Everything is put on the page as text, never as HTML.
"use strict";

const METHODS = ["get", "post", "put", "patch", "delete"];
const main = document.getElementById("document");
const links = [...document.querySelectorAll("#documents a")];

// make("p", {class: "x"}, "text", child…): an element.
function make(name, attributes = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value !== undefined && value !== false) element.setAttribute(key, value);
  }
  element.append(...children.filter((child) => child !== undefined && child !== ""));
  return element;
}

// A schema with what it refers to in its place; what refers to itself is left where it is.
function resolve(api, schema, seen = []) {
  if (!schema || typeof schema !== "object") return schema;
  if (schema.$ref) {
    const name = schema.$ref.split("/").pop();
    return seen.includes(name) ? { type: name } : resolve(api, api.components.schemas[name], [...seen, name]);
  }
  if (Array.isArray(schema)) return schema.map((item) => resolve(api, item, seen));
  return Object.fromEntries(Object.entries(schema).map(([key, value]) => [key, resolve(api, value, seen)]));
}

// A value of the form that a resolved schema has, to begin with.
function sample(schema) {
  if (!schema) return {};
  if (schema.example !== undefined) return schema.example;
  if (schema.enum) return schema.enum[0];
  if (schema.allOf) return Object.assign({}, ...schema.allOf.map(sample));
  if (schema.oneOf || schema.anyOf) return sample((schema.oneOf || schema.anyOf)[0]);
  switch (schema.type) {
    case "string": return "";
    case "integer": case "number": return 0;
    case "boolean": return false;
    case "array": return [];
    default:
      return Object.fromEntries(Object.entries(schema.properties || {}).map(([name, value]) => [name, sample(value)]));
  }
}

const pretty = (value) => JSON.stringify(value, null, 2);

// The path below which this server answers a document's calls.
function base(api, item) {
  const server = (item.servers || api.servers || [{ url: "/" }])[0];
  return new URL(server.url, location.href).pathname.replace(/\/$/, "");
}

function field(parameter) {
  const input = make("input", { name: parameter.name, autocomplete: "off", spellcheck: "false" });
  const about = `${parameter.in}${parameter.required ? ", required" : ""}. ${parameter.description || ""}`;
  return { parameter, input, label: make("label", {}, make("code", {}, parameter.name), make("small", {}, about), input) };
}

function authorization(api, operation) {
  const needs = Object.keys(Object.assign({}, ...(operation.security || api.security || [])));
  const scheme = needs.map((name) => api.components.securitySchemes[name]).find((found) => found && found.in !== "cookie");
  if (!scheme) return undefined;
  const about = `${scheme.type === "http" ? "Bearer <token>" : "header"}. ${scheme.description || ""}`;
  return field({ name: "Authorization", in: "header", description: about });
}

function request(api, item, path, method, fields, body, type) {
  const headers = new Headers();
  const query = new URLSearchParams();
  let target = path;
  for (const { parameter, input } of fields) {
    if (input.value === "" && parameter.in !== "path") continue;
    if (parameter.in === "path") target = target.replace(`{${parameter.name}}`, encodeURIComponent(input.value));
    if (parameter.in === "query") query.set(parameter.name, input.value);
    if (parameter.in === "header") headers.set(parameter.name, input.value);
  }
  const options = { method: method.toUpperCase(), headers, redirect: "manual" };
  if (body && body.value.trim() !== "") {
    headers.set("Content-Type", type);
    options.body = type.includes("form") ? new URLSearchParams(JSON.parse(body.value)).toString() : body.value;
  }
  const text = query.toString();
  return fetch(base(api, item) + target + (text ? `?${text}` : ""), options);
}

async function told(response) {
  const headers = [...response.headers].map(([name, value]) => `${name}: ${value}`).join("\n");
  const text = await response.text();
  let body = text;
  try { body = pretty(JSON.parse(text)); } catch { /* no JSON: as it is */ }
  return `${response.status} ${response.statusText}\n${headers}\n\n${body}`;
}

function attempt(api, item, path, method, operation) {
  const fields = (operation.parameters || []).map(field);
  const proof = authorization(api, operation);
  if (proof) fields.unshift(proof);
  const [type, content] = Object.entries(operation.requestBody?.content || {})[0] || [];
  const body = type && make("textarea", { "aria-label": "Body", spellcheck: "false" }, pretty(sample(resolve(api, content.schema))));
  const out = make("pre", { role: "status", hidden: "" });
  const form = make("form", {}, ...fields.map((one) => one.label), body ? make("label", {}, `Body, ${type}`, body) : "",
    make("button", {}, "Send"), out);
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    out.hidden = false;
    out.textContent = "…";
    try {
      out.textContent = await told(await request(api, item, path, method, fields, body, type));
    } catch (error) {
      out.textContent = String(error);
    }
  });
  return form;
}

function answers(api, operation) {
  const rows = Object.entries(operation.responses || {}).map(([status, response]) => {
    const details = Object.entries(response.content || {}).map(([type, content]) =>
      make("details", {}, make("summary", {}, type), make("pre", {}, pretty(resolve(api, content.schema)))));
    const headers = Object.keys(response.headers || {}).join(", ");
    const cell = make("td", {}, response.description, headers ? make("small", {}, ` Headers: ${headers}.`) : "", ...details);
    return make("tr", { class: response["x-added"] && "added" }, make("th", { scope: "row" }, status), cell);
  });
  return make("table", {}, make("tbody", {}, ...rows));
}

function call(api, item, path, method, operation) {
  const head = make("summary", {}, make("code", {}, `${method.toUpperCase()} ${base(api, item)}${path}`), ` ${operation.summary || ""}`);
  const block = make("details", {}, head);
  // Made when it is first opened.
  block.addEventListener("toggle", () => {
    block.append(make("p", {}, operation.description || ""), make("h3", {}, "Try it"), attempt(api, item, path, method, operation),
      make("h3", {}, "Answers"), answers(api, operation));
  }, { once: true });
  return block;
}

function show(api, url) {
  const groups = new Map();
  for (const [path, item] of Object.entries(api.paths)) {
    for (const method of METHODS.filter((name) => item[name])) {
      const tag = item[method].tags?.[0] || "";
      groups.set(tag, [...(groups.get(tag) || []), call(api, item, path, method, item[method])]);
    }
  }
  const blocks = [...groups].flatMap(([tag, calls]) => [make("h2", {}, tag), ...calls]);
  const about = make("p", {}, `${api.info.description || ""} `, make("a", { href: url }, "The document"));
  main.replaceChildren(about, ...blocks);
}

async function open(link) {
  links.forEach((other) => other.removeAttribute("aria-current"));
  link.setAttribute("aria-current", "page");
  try {
    const response = await fetch(link.href);
    if (!response.ok) throw new Error(`${link.href}: ${response.status}`);
    show(await response.json(), link.href);
  } catch (error) {
    main.replaceChildren(make("p", { role: "alert" }, String(error)));
  }
}

const chosen = () => links.find((link) => `#${link.textContent}` === location.hash) || links[0];
for (const link of links) {
  link.addEventListener("click", (event) => {
    event.preventDefault();
    location.hash = link.textContent;
  });
}
addEventListener("hashchange", () => open(chosen()));
if (links.length > 0) open(chosen());
