// Shows /openapi.json as forms that can be sent. Knows OpenAPI 3.1 as far as this shop uses it.
"use strict";

const METHODS = ["get", "post", "delete"];

/** Follows a `$ref` within the document. */
function resolved(api, node) {
  if (!node || !node.$ref) return node;
  const found = node.$ref.slice(2).split("/").reduce((at, name) => at[name], api);
  return resolved(api, found);
}

function element(name, options = {}, ...children) {
  const { classes, text, ...attributes } = options;
  const made = document.createElement(name);
  if (classes) made.className = classes;
  if (text !== undefined) made.textContent = text;
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

/** Text in which `…` is code. */
function prose(into, text) {
  (text || "").split("`").forEach((part, index) => {
    into.append(index % 2 ? element("code", { text: part }) : part);
  });
  return into;
}

/** A UUID also where the page is not served from a secure origin. */
function newKey() {
  if (crypto.randomUUID) return crypto.randomUUID();
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

function bounds(schema) {
  if (schema.minimum !== undefined && schema.maximum !== undefined && schema.maximum < 1e9) {
    return ` ${schema.minimum} to ${schema.maximum}.`;
  }
  return schema.maxLength ? ` At most ${schema.maxLength} characters.` : "";
}

function parameterField(parameter) {
  const label = element("label", { text: parameter.name + (parameter.required ? " (needed)" : "") });
  const hint = prose(element("small"), parameter.description + bounds(parameter.schema));
  let input;
  if (parameter.schema.enum) {
    input = element("select", {}, element("option", { value: "", text: parameter.required ? "" : "any" }));
    for (const value of parameter.schema.enum) input.append(element("option", { value, text: value }));
  } else {
    input = element("input", { autocomplete: "off", spellcheck: "false" });
    if (parameter.name === "Idempotency-Key") input.value = newKey();
    else if (parameter.required && parameter.example !== undefined) input.value = parameter.example;
  }
  input.name = parameter.name;
  input.dataset.place = parameter.in;
  label.append(hint, input);
  return label;
}

/** Path, headers and body of the request that a form stands for. */
function requestOf(operation, form) {
  let path = operation.path;
  const query = new URLSearchParams();
  const headers = {};
  for (const input of form.querySelectorAll("[data-place]")) {
    const value = input.value;
    if (input.dataset.place === "path") path = path.replace(`{${input.name}}`, encodeURIComponent(value));
    else if (value === "") continue;
    else if (input.dataset.place === "query") query.append(input.name, value);
    else headers[input.name] = value;
  }
  const options = { method: operation.method.toUpperCase(), headers };
  const textarea = form.querySelector("textarea");
  if (operation.details.requestBody) {
    headers["Content-Type"] = "application/json";
    options.body = textarea.value;
  }
  const text = query.toString();
  return { url: text ? `${path}?${text}` : path, options };
}

/** The value of an expression of a link, such as `$response.body#/order_id`. */
function evaluated(value, exchange) {
  if (Array.isArray(value)) return value.map((one) => evaluated(one, exchange));
  if (value && typeof value === "object") {
    return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, evaluated(one, exchange)]));
  }
  const found = typeof value === "string" && /^\$(request|response)\.body#\/(.+)$/.exec(value);
  if (!found) return value;
  return found[2].split("/").reduce((at, name) => (at === undefined || at === null ? at : at[name]), exchange[found[1]]);
}

/** Fills the form of the operation that a link leads to, and goes there. */
function follow(link, exchange) {
  const article = document.getElementById(link.operationId);
  for (const [name, value] of Object.entries(evaluated(link.parameters || {}, exchange))) {
    const input = article.querySelector(`[name="${name}"]`);
    if (input) input.value = value === null || value === undefined ? "" : value;
  }
  const key = article.querySelector('[name="Idempotency-Key"]');
  if (key) key.value = newKey();
  if (link.requestBody) {
    const body = evaluated(link.requestBody, exchange);
    if (article.id === "placeOrder" && body.user_id === undefined) {
      body.user_id = (exchange.response.user_id ?? 42);
    }
    for (const name of Object.keys(body)) if (body[name] === null) delete body[name];
    article.querySelector("textarea").value = JSON.stringify(body, null, 2);
  }
  location.hash = link.operationId;
  article.scrollIntoView();
  article.querySelector("button[type=submit]").focus({ preventScroll: true });
}

function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Amounts keep their two places: JSON is laid out without reading its numbers. */
function laidOut(text) {
  let depth = 0, out = "", inText = false;
  const line = () => "\n" + "  ".repeat(depth);
  for (let index = 0; index < text.length; index += 1) {
    const sign = text[index];
    if (inText) {
      out += sign;
      if (sign === "\\") out += text[++index];
      else if (sign === '"') inText = false;
    } else if (sign === '"') { inText = true; out += sign; }
    else if ((sign === "{" || sign === "[") && /[}\]]/.test(text[index + 1])) { out += sign + text[++index]; }
    else if (sign === "{" || sign === "[") { depth += 1; out += sign + line(); }
    else if (sign === "}" || sign === "]") { depth -= 1; out += line() + sign; }
    else if (sign === ",") out += sign + line();
    else if (sign === ":") out += ": ";
    else if (!/\s/.test(sign)) out += sign;
  }
  return out;
}

async function send(operation, form, place) {
  const { url, options } = requestOf(operation, form);
  const button = form.querySelector("button[type=submit]");
  button.disabled = true;
  const begin = performance.now();
  place.hidden = false;
  try {
    const response = await fetch(url, options);
    const text = await response.text();
    const took = Math.max(1, Math.round(performance.now() - begin));
    const isGood = response.ok;
    const replayed = response.headers.get("idempotent-replayed") ? " · replayed" : "";
    const isJson = /json/.test(response.headers.get("content-type") || "");
    const json = isJson ? parsed(text) : undefined;
    const next = element("div", { classes: "next" });
    const described = operation.details.responses[response.status];
    if (json) {
      const exchange = { request: parsed(options.body || "null"), response: json };
      for (const link of Object.values((described && described.links) || {})) {
        const go = element("button", { type: "button", text: `→ ${link.description}` });
        go.addEventListener("click", () => follow(link, exchange));
        next.append(go);
      }
    }
    place.replaceChildren(
      element("p", { classes: `status ${isGood ? "good" : "bad"}`, text: `${response.status} ${response.statusText} · ${took} ms${replayed}` }),
      element("pre", { tabindex: "0", text: json === undefined ? text : laidOut(text) }),
      next,
    );
  } catch (error) {
    place.replaceChildren(element("p", { classes: "status bad", text: `No answer: ${error.message}` }));
  } finally {
    button.disabled = false;
  }
}

/** A schema with its references put in. */
function expanded(api, node) {
  if (Array.isArray(node)) return node.map((one) => expanded(api, one));
  if (!node || typeof node !== "object") return node;
  if (node.$ref) return expanded(api, resolved(api, node));
  return Object.fromEntries(Object.entries(node).map(([key, one]) => [key, expanded(api, one)]));
}

function answers(list, responses) {
  for (const [status, response] of Object.entries(responses)) {
    const text = element("dd");
    for (const line of response.description.split("\n")) {
      text.append(prose(element("p"), line.replace(/^- /, "")));
    }
    list.append(element("dt", { text: status }), text);
  }
}

function article(api, operation) {
  const made = document.getElementById("operation").content.cloneNode(true).firstElementChild;
  const { details } = operation;
  const find = (selector) => made.querySelector(selector);
  made.id = details.operationId;
  made.setAttribute("aria-label", details.summary);
  find(".method").textContent = operation.method.toUpperCase();
  find(".method").classList.add(operation.method);
  find(".path").textContent = operation.path;
  find(".title").textContent = details.summary;
  prose(find(".text"), details.description);
  for (const parameter of details.parameters) {
    find(".fields").append(parameterField(resolved(api, parameter)));
  }
  const body = details.requestBody && details.requestBody.content["application/json"];
  if (body) {
    const textarea = find("textarea");
    const examples = Object.entries(body.examples || {});
    examples.forEach(([name, example], index) => {
      const text = JSON.stringify(example.value, null, 2);
      if (index === 0) textarea.value = text;
      const choose = element("button", { type: "button", text: name });
      choose.addEventListener("click", () => { textarea.value = text; });
      if (examples.length > 1) find(".examples").append(choose);
    });
    find(".body-field").hidden = false;
    find(".schema").hidden = false;
    find(".schema pre").textContent = JSON.stringify(expanded(api, body.schema), null, 2);
  }
  answers(find("dl"), details.responses);
  const form = find("form");
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    send(operation, form, made.querySelector(".answer"));
  });
  return made;
}

function show(api) {
  document.getElementById("version").textContent = `· version ${api.info.version}`;
  document.getElementById("summary").textContent = api.info.summary;
  prose(document.getElementById("about"), api.info.description);
  const operations = Object.entries(api.paths).flatMap(([path, item]) =>
    METHODS.filter((method) => item[method]).map((method) => ({ path, method, details: item[method] })));
  const contents = document.getElementById("contents");
  const main = document.getElementById("operations");
  for (const tag of api.tags) {
    const list = element("ul");
    contents.append(element("p", { text: tag.name }), list);
    main.append(element("h2", { text: tag.description }));
    for (const operation of operations.filter((one) => one.details.tags.includes(tag.name))) {
      const { operationId, summary } = operation.details;
      const method = element("span", { classes: `method ${operation.method}`, text: operation.method.toUpperCase() });
      list.append(element("li", {}, element("a", { href: `#${operationId}` }, method, element("span", { text: summary }))));
      main.append(article(api, operation));
    }
  }
  main.removeAttribute("aria-busy");
  if (location.hash) document.getElementById(location.hash.slice(1))?.scrollIntoView();
}

fetch("/openapi.json")
  .then((response) => response.json())
  .then(show)
  .catch((error) => {
    document.getElementById("operations").append(
      element("p", { classes: "status bad", text: `The description could not be read: ${error.message}` }));
  });
