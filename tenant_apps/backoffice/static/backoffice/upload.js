/* Show how far the sending is, and refuse what is too large before it leaves. Without this file the form is
   sent the ordinary way and the server says the same things. */
(() => {
  "use strict";
  const bind = () => {
    const form = document.querySelector("[data-upload]");
    if (form) form.addEventListener("submit", (event) => { event.preventDefault(); send(form); });
    const bad = document.querySelector("[data-focus]");
    if (bad) bad.focus();
  };

  const say = (form, sentence) => {
    form.querySelector(".sending").hidden = false;
    form.querySelector("progress").hidden = true;
    const words = form.querySelector("[role=status]");
    words.textContent = sentence;
    words.classList.add("field-error");
    for (const button of form.querySelectorAll("button")) button.disabled = false;
  };

  const send = (form) => {
    const files = [...form.querySelectorAll("input[type=file]")].flatMap((input) => [...input.files]);
    const size = files.reduce((sum, file) => sum + file.size, 0);
    if (size > Number(form.dataset.limit)) return say(form, form.dataset.tooLarge);
    const box = form.querySelector(".sending");
    const bar = box.querySelector("progress");
    const words = box.querySelector("[role=status]");
    const request = new XMLHttpRequest();
    box.hidden = bar.hidden = false;
    words.classList.remove("field-error");
    form.querySelector("button[type=submit]").disabled = true;
    window.addEventListener("beforeunload", stay);
    request.upload.addEventListener("progress", (event) => {
      if (event.lengthComputable) bar.value = Math.round((100 * event.loaded) / event.total);
    });
    request.upload.addEventListener("load", () => {
      bar.removeAttribute("value");
      words.textContent = form.dataset.sent;
    });
    request.addEventListener("error", () => {
      window.removeEventListener("beforeunload", stay);
      say(form, form.dataset.cut);
    });
    request.addEventListener("load", () => {
      window.removeEventListener("beforeunload", stay);
      if (request.status < 400) return window.location.assign(request.responseURL);
      const page = new DOMParser().parseFromString(request.responseText, "text/html");
      document.title = page.title;
      document.querySelector("main").replaceWith(document.adoptNode(page.querySelector("main")));
      window.scrollTo(0, 0);
      bind();
    });
    request.open("POST", window.location.href);
    request.send(new FormData(form));
  };

  const stay = (event) => event.preventDefault();
  bind();
})();
