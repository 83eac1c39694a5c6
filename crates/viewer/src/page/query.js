"use strict";
// Questions to Prometheus through the program that serves the page, and the answers that a saved page
// carries instead.
viewer.query = (() => {
  class Refusal extends Error {
    // `kind` is Prometheus' errorType, "unreachable", or "gone" when the page's own server is away.
    constructor(kind, message) {
      super(message);
      this.kind = kind;
    }
  }

  const frozen = JSON.parse(document.getElementById("frozen")?.textContent ?? "null");
  // What was asked since the dashboard was opened, by the place that asked: this is what a saved page keeps.
  let recorded = {};

  const send = async (path, parameters, signal) => {
    let answer;
    try {
      answer = await fetch(`api/v1/${path}`, { method: "POST", body: new URLSearchParams(parameters), signal });
    } catch (error) {
      if (error.name === "AbortError") throw error;
      throw new Refusal("gone", viewer.say.serverGone);
    }
    const body = await answer.json().catch(() => ({ status: "error", errorType: "bad_response", error: `${answer.status} ${answer.statusText}` }));
    if (body.status !== "success") throw new Refusal(body.errorType, body.error);
    return body;
  };

  // `place` names who asks, so that a saved page finds the answer whatever its width.
  const ask = async (place, path, parameters, signal) => {
    if (frozen) {
      const kept = frozen.answers[place];
      if (!kept) throw new Refusal("frozen", viewer.say.noData);
      if (kept.error) throw new Refusal(kept.error.kind, kept.error.message);
      return kept;
    }
    try {
      const { data, warnings } = await send(path, parameters, signal);
      recorded[place] = { parameters, data, warnings };
    } catch (error) {
      if (error instanceof Refusal) recorded[place] = { parameters, error: { kind: error.kind, message: error.message } };
      throw error;
    }
    return recorded[place];
  };

  // The values of a label, narrowed by a selector where one is given. Labels are asked for by GET.
  const labelValues = async (place, label, match, { from, to }) => {
    if (frozen) return frozen.answers[place]?.data ?? [];
    const parameters = new URLSearchParams({ start: from / 1e3, end: to / 1e3, ...(match ? { "match[]": match } : {}) });
    let answer;
    try {
      answer = await fetch(`api/v1/label/${encodeURIComponent(label)}/values?${parameters}`);
    } catch {
      throw new Refusal("gone", viewer.say.serverGone);
    }
    const body = await answer.json().catch(() => ({ errorType: "bad_response", error: `${answer.status}` }));
    if (body.status !== "success") throw new Refusal(body.errorType, body.error);
    recorded[place] = { data: body.data };
    return body.data;
  };

  const forget = () => {
    recorded = {};
  };

  return { Refusal, frozen, ask, labelValues, forget, answers: () => recorded };
})();
