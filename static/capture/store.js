// Photographs that wait to be sent, in IndexedDB: bound to the account, without names of files or people. Each is deleted
// once the server has it, all of them at log-out, and what is older than 24 hours when any page is opened.
"use strict";

(() => {
  const DATABASE = "waiting-photographs";
  const KEPT_MS = 24 * 3600 * 1000;

  function promised(request) {
    return new Promise((resolve, reject) => {
      request.addEventListener("success", () => resolve(request.result));
      request.addEventListener("error", () => reject(request.error));
      request.addEventListener("blocked", () => reject(new Error("blocked")));
    });
  }

  async function open() {
    const request = indexedDB.open(DATABASE, 1);
    request.addEventListener("upgradeneeded", () => request.result.createObjectStore("waiting", { keyPath: "id" }));
    const database = await promised(request);
    database.addEventListener("versionchange", () => database.close()); // another page deletes it
    return database;
  }

  async function withStore(mode, action) {
    const database = await open();
    try {
      const transaction = database.transaction("waiting", mode);
      const isDone = new Promise((resolve, reject) => {
        transaction.addEventListener("complete", resolve);
        transaction.addEventListener("abort", () => reject(transaction.error));
      });
      const result = await action(transaction.objectStore("waiting"));
      await isDone;
      return result;
    } finally {
      database.close();
    }
  }

  async function removeOld() {
    const databases = indexedDB.databases ? await indexedDB.databases() : [{ name: DATABASE }];
    if (!databases.some((one) => one.name === DATABASE)) return;
    await withStore("readwrite", async (store) => {
      const all = await promised(store.getAll());
      for (const one of all) if (Date.now() - one.addedAt > KEPT_MS) store.delete(one.id);
    });
  }

  let isClosed = false; // the user logs out: what an upload still keeps would stay in the browser
  window.whenPageStays(() => { isClosed = false; });

  const store = {
    // Each entry: id, account, exam, blob, eye, field, isConfirmed, uploadUrl, addedAt.
    put: async (entry) => { if (!isClosed) await withStore("readwrite", (rows) => promised(rows.put(entry))); },
    remove: async (id) => { if (!isClosed) await withStore("readwrite", (rows) => promised(rows.delete(id))); },
    list: async (account, exam) => {
      const all = await withStore("readonly", (rows) => promised(rows.getAll()));
      return all.filter((one) => one.account === account && one.exam === exam);
    },
    clear: () => {
      isClosed = true;
      return promised(indexedDB.deleteDatabase(DATABASE));
    },
  };
  window.capture = { store };

  document.addEventListener("DOMContentLoaded", () => {
    if (!window.indexedDB) return;
    removeOld().catch(() => {}); // private windows of some browsers have no storage
    const logOut = document.querySelector("[data-log-out]");
    if (!logOut) return;
    logOut.addEventListener("submit", (event) => {
      event.preventDefault();
      const submit = () => logOut.submit();
      const tooLong = new Promise((resolve) => { setTimeout(resolve, 1500); });
      Promise.race([store.clear(), tooLong]).then(submit, submit);
    });
  });
})();
