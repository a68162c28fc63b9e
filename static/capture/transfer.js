// Sending: parts of a file by tus, a few files at once, again after a lost connection, with growing pauses.
"use strict";

(() => {
  const PART_BYTES = 1024 * 1024;
  const AT_ONCE = 3;
  const MAX_PAUSE_MS = 30000;
  const TEMPORARY = new Set([0, 408, 423, 425, 429]);

  class Refused extends Error {
    // ``body`` is the JSON of the server; ``isTemporary``: the same request may succeed later.
    constructor(status, body = {}, retryAfterS = 0) {
      super(body.message || "");
      this.status = status;
      this.body = body;
      this.retryAfterS = retryAfterS;
      this.isTemporary = TEMPORARY.has(status) || status >= 500 || body.code === "wrong_offset";
    }
  }

  function jsonOf(text) {
    try {
      return JSON.parse(text);
    } catch {
      return {}; // an error page of a proxy
    }
  }

  function pause(attempt, retryAfterS) {
    const ms = Math.max(Math.min(MAX_PAUSE_MS, 1000 * 2 ** attempt) * (0.75 + Math.random() / 2), 1000 * retryAfterS);
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms);
      window.addEventListener("online", () => { clearTimeout(timer); resolve(); }, { once: true });
    });
  }

  // The result of ``task``, which is repeated after temporary failures. It is not begun once ``isWanted`` is false.
  async function insist(task, { onPause, isWanted }) {
    for (let attempt = 0; ; attempt += 1) {
      if (!isWanted()) throw new Refused(0);
      try {
        return await task(); // oxlint-disable-line no-await-in-loop
      } catch (error) {
        if (!(error instanceof Refused) || !error.isTemporary || !isWanted()) throw error;
        onPause(true);
        await pause(attempt, error.retryAfterS); // oxlint-disable-line no-await-in-loop
        onPause(false);
      }
    }
  }

  // POST of a form; the JSON of the server. Throws Refused.
  async function post(address, form) {
    let response;
    try {
      const headers = { Accept: "application/json", "X-CSRFToken": window.csrfToken() };
      response = await fetch(address, { method: "POST", body: form, headers, signal: AbortSignal.timeout(120000) });
    } catch {
      throw new Refused(0);
    }
    const body = jsonOf(await response.text());
    if (!response.ok) throw new Refused(response.status, body, Number(response.headers.get("Retry-After")) || 0);
    return body;
  }

  // One try to send a file from where it stands; the address of the upload. Throws Refused.
  function sendOnce(blob, { endpoint, uploadUrl, metadata, onUrl, onProgress, setAbort }) {
    return new Promise((resolve, reject) => {
      const upload = new window.tus.Upload(blob, {
        endpoint,
        uploadUrl,
        metadata,
        chunkSize: PART_BYTES,
        retryDelays: null, // ``insist`` repeats
        storeFingerprintForResuming: false, // NB: it would hold the name of the file
        onBeforeRequest: (request) => request.setHeader("X-CSRFToken", window.csrfToken()),
        onUploadUrlAvailable: () => onUrl(upload.url),
        onProgress: (sent, total) => onProgress(sent / total),
        onSuccess: () => resolve(upload.url),
        onError: (error) => {
          const response = error.originalResponse;
          const status = response ? response.getStatus() : 0;
          reject(new Refused(status, response ? jsonOf(response.getBody()) : {}, response ? Number(response.getHeader("Retry-After")) || 0 : 0));
        },
      });
      setAbort(() => { upload.abort(); reject(new Refused(0)); });
      upload.start();
    });
  }

  // At most AT_ONCE tasks run, in the order in which they were given.
  class Queue {
    constructor() {
      this.nRunning = 0;
      this.waiting = [];
    }

    async run(task) {
      if (this.nRunning >= AT_ONCE) await new Promise((resolve) => { this.waiting.push(resolve); });
      this.nRunning += 1;
      try {
        return await task();
      } finally {
        this.nRunning -= 1;
        const next = this.waiting.shift();
        if (next) next();
      }
    }
  }

  Object.assign(window.capture, { Queue, Refused, insist, post, sendOnce });
})();
