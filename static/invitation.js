// Sends the code of an invitation, which comes after "#" in its link, and removes it from the address.
"use strict";

(() => {
  const form = document.querySelector("[data-invitation-code]");
  const send = () => {
    const code = location.hash.slice(1);
    if (!/^[\w-]{20,}$/.test(code)) {
      return;
    }
    history.replaceState(null, "", location.pathname);
    form.elements.code.value = code;
    form.submit();
  };
  window.addEventListener("hashchange", send); // a link that is opened on this page does not load it again
  send();
})();
